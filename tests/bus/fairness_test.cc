// SPDX-License-Identifier: Apache-2.0
//
// P7, no starvation: beside an actor that always has messages, the others, the
// timers and the descriptors of its loop get their turn. Counted in turns and
// in messages, not in time.

#include <fcntl.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley {
namespace {

struct Flood {};
struct Ping {};

// Keeps its own mailbox full for ever.
class Flooded : public Actor {
 public:
  explicit Flooded(uint64_t* handled) : handled_(*handled) {}
  void On(const Flood&) {
    ++handled_;
    while (Self(this).Tell(Flood{}) == Delivery::kAccepted) {
    }
  }

 private:
  uint64_t& handled_;
};

class QuietOne : public Actor {
 public:
  explicit QuietOne(uint64_t* handled) : handled_(*handled) {}
  void On(const Ping&) { ++handled_; }

 private:
  uint64_t& handled_;
};

class FairnessTest : public BusFixture {
 protected:
  ~FairnessTest() override { Destroy(); }  // before what the actors count in
  void StartFlood() {
    Start([&](BusOptions& options) { limits_ = options.loops[0]; });
    auto flooded = bus().Spawn<Flooded>({.loop = 0}, &flood_);
    flooded->Tell(Flood{});
    quiet_ = *bus().Spawn<QuietOne>({.loop = 0}, &pings_);
    Turn();
  }
  void Turn() { bus().loop(0).RunOnce(); }

  LoopOptions limits_;
  bool breeding_ = true;
  uint64_t flood_ = 0;
  uint64_t pings_ = 0;
  Ref<QuietOne> quiet_;
};
INSTANTIATE_TEST_SUITE_P(Forms, FairnessTest,
                         testing::Values(BusForm{"sim", 1}), BusFormName);

TEST_P(FairnessTest, P7_ANeighbourWaitsForOneSliceAtMost) {
  StartFlood();
  for (uint64_t i = 1; i <= GetRunOptions().Scale(300, 20'000); ++i) {
    quiet_.Tell(Ping{});
    const uint64_t before = flood_;
    Turn();
    ASSERT_EQ(pings_, i);
    ASSERT_LE(flood_ - before, limits_.messages_per_turn);
    ASSERT_GE(flood_ - before, limits_.messages_per_slice);
  }
}

class CountingTimer : public Timer {
 public:
  void OnTimer() override { ++fired; }
  int fired = 0;
};

TEST_P(FairnessTest, P7_ADueTimerWaitsForOneTurnAtMost) {
  StartFlood();
  CountingTimer timer;
  for (int i = 1; i <= 300; ++i) {
    bus().loop(0).timers().Set(
        timer, world().clock().Now() + absl::Nanoseconds(i % 3));
    world().StepTime(world().clock().Now() + absl::Nanoseconds(i % 3));
    Turn();
    ASSERT_EQ(timer.fired, i);
  }
}

TEST_P(FairnessTest, P7_AReadyDescriptorWaitsForAFewTurnsAtMost) {
  StartFlood();
  struct Reader : Watcher {
    void OnReady(Ready) override { ++seen; }
    int seen = 0;
  } reader;
  int fds[2];
  Sys& sys = world().sys();
  ASSERT_EQ(sys.Pipe2(fds, O_NONBLOCK), 0);
  auto token = bus().loop(0).descriptors().Watch(
      fds[0], {.ready = Ready::kReadable}, &reader);
  ASSERT_TRUE(token.ok()) << token.status();
  for (int i = 1; i <= 100; ++i) {
    const char byte = 'x';
    ASSERT_EQ(sys.Write(fds[1], absl::MakeConstSpan(&byte, 1)), 1);
    const int before = reader.seen;
    for (uint32_t turn = 0; turn < limits_.turns_between_polls; ++turn) Turn();
    ASSERT_GT(reader.seen, before);
    char got;
    ASSERT_EQ(sys.Read(fds[0], absl::MakeSpan(&got, 1)), 1);
  }
  bus().loop(0).descriptors().Unwatch(*token);
  sys.Close(fds[0]);
  sys.Close(fds[1]);
}

// Spawns another of its kind as it starts, and so on without end.
class Breeder : public Actor {
 public:
  explicit Breeder(const bool* on) : on_(*on) {}
  void OnStart() override {
    Stop();
    if (!on_) return;
    EXPECT_TRUE(Spawn<Breeder>({}, &on_).ok());
  }

 private:
  const bool& on_;
};

TEST_P(FairnessTest, P7_AnEndlessLineOfNewActorsLeavesTheOthersTheirTurn) {
  Start([&](BusOptions& options) { limits_ = options.loops[0]; });
  ASSERT_TRUE(bus().Spawn<Breeder>({.loop = 0}, &breeding_).ok());
  quiet_ = *bus().Spawn<QuietOne>({.loop = 0}, &pings_);
  quiet_.Tell(Ping{});
  // It starts in the same way, and soon.
  for (uint32_t i = 0; i <= RunQueue::kFreshTurns; ++i) Turn();
  ASSERT_EQ(pings_, 1u);
  for (uint64_t i = 2; i <= 100; ++i) {
    quiet_.Tell(Ping{});
    Turn();
    ASSERT_EQ(pings_, i);
  }
  breeding_ = false;
}

// A timer that re-arms itself in the past does not keep the loop.
TEST_P(FairnessTest, P7_ATimerThatIsAlwaysDueLeavesTheOthersTheirTurn) {
  struct Eager : Timer {
    explicit Eager(TimerQueue& queue) : queue(queue) {}
    void OnTimer() override {
      ++fired;
      queue.Set(*this, Instant());
    }
    TimerQueue& queue;
    int fired = 0;
  };
  StartFlood();
  Eager eager(bus().loop(0).timers());
  eager.OnTimer();
  quiet_.Tell(Ping{});
  Turn();
  EXPECT_EQ(eager.fired, 2);
  EXPECT_EQ(pings_, 1u);
}

}  // namespace
}  // namespace trolley
