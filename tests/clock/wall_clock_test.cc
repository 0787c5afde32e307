// SPDX-License-Identifier: Apache-2.0
//
// P17, the wall clock: setting it back or forward by hours while a plain thread
// waits changes nothing. The table has every call of the core that blocks.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/bus/latch.h"
#include "trolley/tests/clock/jumping_clock.h"

namespace trolley {
namespace {

// What a test waits for, longer than it takes to set the clock, and no longer
// than one likes to wait for a test.
constexpr absl::Duration kShort = absl::Milliseconds(200);
constexpr absl::Duration kLong = absl::Minutes(10);

struct Question {};

// Keeps its loop until `go`.
class Slow : public Actor {
 public:
  struct Gate {
    absl::Notification held, go;
  };
  explicit Slow(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
  int On(const Question&) {
    gate_->held.Notify();
    gate_->go.WaitForNotification();
    return 1;
  }

 private:
  const std::shared_ptr<Gate> gate_;
};

// A bus of which one loop is kept.
struct World {
  World() {
    bus = *Bus::Create({.loops = std::vector<LoopOptions>(2)});
    slow = *bus->Spawn<Slow>({.loop = 1}, gate);
    if (slow.Tell(Question{}) != Delivery::kAccepted) abort();
    gate->held.WaitForNotification();
  }
  ~World() {
    if (!gate->go.HasBeenNotified()) gate->go.Notify();
  }

  std::shared_ptr<Slow::Gate> gate = std::make_shared<Slow::Gate>();
  std::unique_ptr<Bus> bus;
  Ref<Slow> slow;
};

// What blocks: true if it came to what it waits for, false if its time was up.
// What it waits for comes when the world's gate is opened.
struct Blocking {
  std::string name;
  std::function<bool(World&, absl::Duration)> call;
};

std::ostream& operator<<(std::ostream& out, const Blocking& blocking) {
  return out << blocking.name;
}

std::vector<Blocking> AllBlocking() {
  return {
      {"AskAndWait",
       [](World& world, absl::Duration limit) {
         // The one that holds the loop notifies once only.
         struct Answer : Actor {
           int On(const Question&) { return 2; }
         };
         auto answer = world.bus->Spawn<Answer>({.loop = 1});
         return answer->AskAndWait(Question{}, limit).ok();
       }},
      {"Inspect",
       [](World& world, absl::Duration limit) {
         return world.bus->Inspect(limit).ok();
       }},
      {"Shutdown",
       [](World& world, absl::Duration limit) {
         return world.bus->Shutdown(limit).clean;
       }},
      {"Latch",
       [](World& world, absl::Duration limit) {
         auto latch = std::make_shared<Latch>();
         auto opener = std::thread([latch, gate = world.gate] {
           gate->go.WaitForNotification();
           latch->Open();
         });
         opener.detach();
         return latch->Wait(limit);
       }},
  };
}

class WallClockTest : public testing::TestWithParam<Blocking> {
 protected:
  // Runs the call; sets the clock once it waits, and opens the gate after that
  // if it should.
  bool Call(World& world, absl::Duration limit, int hours, bool open) {
    const uint64_t wall_waits = clock_.wall_waits.load();
    const uint64_t steady_waits = clock_.steady_waits.load();
    std::atomic<bool> over{false};
    bool result = false;
    std::thread caller([&] {
      result = GetParam().call(world, limit);
      over.store(true);
    });
    while (!over.load() && clock_.wall_waits.load() == wall_waits &&
           clock_.steady_waits.load() == steady_waits) {
      std::this_thread::yield();
    }
    EXPECT_EQ(clock_.wall_waits.load(), wall_waits)
        << "waits for a time of day";
    // What waits for the wrong clock is not left to wait for an hour.
    if (clock_.wall_waits.load() == wall_waits || hours > 0) {
      clock_.JumpHours(hours);
    }
    if (open) world.gate->go.Notify();
    caller.join();
    EXPECT_EQ(clock_.wall_waits.load(), wall_waits)
        << "waits for a time of day";
    return result;
  }

  JumpingClock& clock_ = JumpingClock::Get();
};
INSTANTIATE_TEST_SUITE_P(Calls, WallClockTest, testing::ValuesIn(AllBlocking()),
                         [](const auto& info) { return info.param.name; });

TEST_P(WallClockTest, P17_SetBackByAnHourItEndsInTime) {
  World world;
  EXPECT_FALSE(Call(world, kShort, -1, /*open=*/false));
}

TEST_P(WallClockTest, P17_SetForwardByHoursWhatComesInTimeIsNotLost) {
  World world;
  EXPECT_TRUE(Call(world, kLong, 24, /*open=*/true));
}

// --- That the clock is one that would be noticed ---

TEST(JumpingClockTest, MovesTheTimeOfDayAndNothingElse) {
  JumpingClock& clock = JumpingClock::Get();
  const auto wall = std::chrono::system_clock::now();
  const auto steady = std::chrono::steady_clock::now();
  const Instant ours = MonotonicClock().Now();
  clock.JumpHours(5);
  EXPECT_GE(std::chrono::system_clock::now() - wall, std::chrono::hours(5));
  EXPECT_LT(std::chrono::steady_clock::now() - steady, std::chrono::hours(1));
  EXPECT_LT(MonotonicClock().Now() - ours, absl::Hours(1));
  clock.JumpHours(-5);
}

// The waits that the library must not use, each of them: an hour passes at
// once.
TEST(JumpingClockTest, ItsJumpsEndWaitsForATimeOfDay) {
  JumpingClock& clock = JumpingClock::Get();
  const std::function<bool()> waits[] = {
      [] {
        absl::Notification never;
        return never.WaitForNotificationWithDeadline(absl::Now() +
                                                     absl::Hours(1));
      },
      [] {
        absl::Mutex mutex;
        absl::MutexLock lock(&mutex);
        bool never = false;
        return mutex.AwaitWithDeadline(absl::Condition(&never),
                                       absl::Now() + absl::Hours(1));
      },
      [] {
        std::mutex mutex;
        std::condition_variable never;
        std::unique_lock<std::mutex> lock(mutex);
        return never.wait_until(
            lock, std::chrono::system_clock::now() + std::chrono::hours(1),
            [] { return false; });
      },
  };
  for (const auto& wait : waits) {
    const uint64_t before = clock.wall_waits.load();
    bool result = true;
    std::thread waiter([&] { result = wait(); });
    while (clock.wall_waits.load() == before) std::this_thread::yield();
    clock.JumpHours(2);
    waiter.join();
    EXPECT_FALSE(result);
  }
}

}  // namespace
}  // namespace trolley

int main(int argc, char** argv) {
  trolley::JumpingClock::LoadInto(argv, argv[1]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
