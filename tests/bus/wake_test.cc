// SPDX-License-Identifier: Apache-2.0
//
// P3, no lost wake: one message is in flight, so that it finds the other loop
// asleep or falling asleep. No timer helps, so a lost wake hangs the test.
// P4, wake economy: there are no more wakes than sleeps, and none for a loop
// that is awake.

#include <cstdint>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley {
namespace {

struct Ball {
  uint64_t left;
};

class Player : public Actor {
 public:
  explicit Player(absl::Notification* done) : done_(done) {}
  void On(const Ref<Player>& other) { other_ = other; }
  void On(const Ball& m) {
    if (m.left == 0) return done_->Notify();
    other_.Tell(Ball{m.left - 1});
  }

 private:
  Ref<Player> other_;
  absl::Notification* done_;
};

// One where every loop slept as often as the others woke it.
void CheckWakes(const BusInfo& info) {
  for (const LoopInfo& loop : info.loops) {
    EXPECT_LE(loop.wakes, loop.waits + 1) << "loop " << loop.index;
  }
}

using WakeTest = BusFixture;
TROLLEY_FOR_EACH_BUS(WakeTest);

TEST_P(WakeTest, P3_OneMessageInFlightIsNeverLost) {
  // Both ways together: twice as many messages.
  const uint64_t each = GetRunOptions().Scale(20'000, 1'000'000);
  Bus& bus = Start();
  absl::Notification done;
  auto here = *bus.Spawn<Player>({.loop = 0}, &done);
  auto there = *bus.Spawn<Player>({.loop = LoopAt(1)}, &done);
  here.Tell(there);
  there.Tell(here);
  here.Tell(Ball{2 * each});
  Await(done);
  const BusInfo info = Look();
  EXPECT_EQ(info.ledger.handled, 2 * each + 3);
  CheckWakes(info);
  if (!simulated() && loops() > 1) {
    // It did meet the sleep window.
    EXPECT_GT(info.loops[0].waits + info.loops[1].waits, each / 100);
  }
  EXPECT_TRUE(bus.Shutdown(absl::Seconds(60)).clean);
}

TEST_P(WakeTest, P3_OneMessageInFlightFromAThreadIsNeverLost) {
  if (simulated()) GTEST_SKIP() << "a simulated bus has one thread";
  const uint64_t count = GetRunOptions().Scale(5'000, 500'000);
  Bus& bus = Start();
  absl::Notification done;
  auto player = *bus.Spawn<Player>({.loop = 0}, &done);
  player.Tell(player);
  for (uint64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(
        player.AskAndWait(Ref<Player>(player), absl::InfiniteDuration()).ok());
  }
  CheckWakes(Look());
}

// Keeps its loop from `held` until `go`.
struct Hold {};
class Holder : public Actor {
 public:
  Holder(absl::Notification* held, absl::Notification* go)
      : held_(held), go_(go) {}
  void On(const Hold&) {
    held_->Notify();
    go_->WaitForNotification();
  }

 private:
  absl::Notification* held_;
  absl::Notification* go_;
};

TEST_P(WakeTest, P4_NoThreadWakesALoopThatIsAwake) {
  if (simulated()) GTEST_SKIP() << "a simulated bus never sleeps";
  Bus& bus = Start();
  absl::Notification done;
  absl::Notification held;
  absl::Notification go;
  auto player = *bus.Spawn<Player>({.loop = 0}, &done);
  auto holder = *bus.Spawn<Holder>({.loop = 0}, &held, &go);
  holder.Tell(Hold{});
  held.WaitForNotification();
  const auto& wakes = StateOf(bus)->inbox(0).stats.wakes;
  const uint64_t before = wakes.Read();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(player.Tell(Ref<Player>(player)), Delivery::kAccepted);
  }
  EXPECT_EQ(wakes.Read(), before);
  go.Notify();
  Look();  // the handler has ended
}

// Many senders: still at most one wake for each sleep.
TEST_P(WakeTest, P4_WakesAreNoMoreThanSleeps) {
  if (simulated()) GTEST_SKIP() << "a simulated bus never sleeps";
  const uint64_t each = GetRunOptions().Scale(10'000, 2'500'000);
  Bus& bus = Start();
  absl::Notification done;
  auto player = *bus.Spawn<Player>({.loop = 0}, &done);
  player.Tell(player);
  std::thread senders[4];
  for (std::thread& sender : senders) {
    sender = std::thread([&] {
      for (uint64_t i = 0; i < each;) {
        if (player.Tell(Ref<Player>(player)) == Delivery::kAccepted) {
          ++i;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  const BusInfo info = Look();
  CheckWakes(info);
  EXPECT_LT(info.loops[0].wakes, 4 * each);
}

}  // namespace
}  // namespace trolley
