// SPDX-License-Identifier: Apache-2.0
//
// P7, no starvation: one actor always has messages. The other actors, the
// timers and the descriptors of its loop still get their turn. The test counts
// turns and messages, not time.

#include <fcntl.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley::internal {
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
  // Counts, and looks at what another one has handled by then.
  QuietOne(uint64_t* handled, const uint64_t* others, uint64_t* others_then)
      : handled_(*handled), others_(*others), others_then_(*others_then) {}
  void On(const Ping&) {
    ++handled_;
    others_then_ = others_;
  }

 private:
  uint64_t& handled_;
  const uint64_t& others_;
  uint64_t& others_then_;
};

class FairnessTest : public BusFixture {
 protected:
  ~FairnessTest() override { Destroy(); }  // before what the actors count in
  void StartFlood() {
    Start([&](BusOptions& options) { limits_ = options.loops[0]; });
    auto flooded = bus().Spawn<Flooded>({.loop = 0}, &flood_);
    flooded->Tell(Flood{});
    quiet_ =
        *bus().Spawn<QuietOne>({.loop = 0}, &pings_, &flood_, &flood_at_ping_);
    Turn();
  }
  void Turn() { LoopOf(bus(), 0).RunOnce(); }

  LoopOptions limits_;
  bool breeding_ = true;
  uint64_t flood_ = 0;
  uint64_t pings_ = 0;
  uint64_t flood_at_ping_ = 0;
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

// What other loops hand over during a turn goes before an actor that has had
// its slice and is not done.
TEST_P(FairnessTest, P7_WhatWasHandedOverGoesBeforeASecondSlice) {
  StartFlood();
  for (uint64_t i = 1; i <= 300; ++i) {
    quiet_.Tell(Ping{});
    const uint64_t before = flood_;
    Turn();
    ASSERT_EQ(pings_, i);
    ASSERT_EQ(flood_at_ping_, before);
  }
}

// Does `what` in its handler of message number `at`, and then nothing more.
class FloodedUntil : public Actor {
 public:
  FloodedUntil(uint64_t at, uint64_t* handled, std::function<void()> what)
      : at_(at), handled_(*handled), what_(std::move(what)) {}
  void On(const Flood&) {
    if (++handled_ == at_) what_();
  }

 private:
  const uint64_t at_;
  uint64_t& handled_;
  const std::function<void()> what_;
};

TEST_P(FairnessTest, P7_ANeighbourOnTheLoopWaitsForOneSliceAtMost) {
  StartFlood();
  const uint64_t slice = limits_.messages_per_slice;
  for (uint64_t queued : {slice + slice / 2, 5 * slice}) {
    uint64_t handled = 0, handled_at_ping = 0;
    auto quiet = *bus().Spawn<QuietOne>({.loop = 0}, &pings_, &handled,
                                        &handled_at_ping);
    auto flooded = *bus().Spawn<FloodedUntil>({.loop = 0}, 1, &handled,
                                              [&] { quiet.Tell(Ping{}); });
    for (uint64_t i = 0; i < queued; ++i) flooded.Tell(Flood{});
    while (handled < queued) Turn();
    EXPECT_GE(handled_at_ping, 1u);
    EXPECT_LE(handled_at_ping, slice);
    quiet.Stop();
    flooded.Stop();
    Turn();
  }
}

// A slice is a turn at most, and half a slice is more than nothing.
TEST_P(FairnessTest, P7_ASliceWithoutALimitEndsWithItsTurn) {
  for (const uint32_t turn : {1u, 2u, 3u, 128u}) {
    Start([&](BusOptions& options) {
      options.loops[0].messages_per_slice = UINT32_MAX;
      options.loops[0].messages_per_turn = turn;
    });
    uint64_t handled = 0;
    auto flooded =
        *bus().Spawn<FloodedUntil>({.loop = 0}, 0, &handled, nullptr);
    Turn();  // it starts
    for (uint32_t i = 0; i < 5 * turn; ++i) flooded.Tell(Flood{});
    for (uint64_t before = 0; before < 5 * turn; before = handled) {
      Turn();
      ASSERT_GT(handled, before);
      ASSERT_LE(handled, before + turn);
    }
  }
}

TEST_P(FairnessTest, P7_ATurnOfAFloodEndsForWhatIsHandedOver) {
  Start([&](BusOptions& options) { limits_ = options.loops[0]; });
  const uint32_t slice = limits_.messages_per_slice;
  ASSERT_EQ(limits_.messages_per_turn, 2 * slice);
  for (uint64_t at : {uint64_t{1}, uint64_t{slice} / 2}) {
    world().StepTime(world().clock().Now() + absl::Seconds(1));
    uint64_t handled = 0, handled_before = 0;
    auto flooded = *bus().Spawn<FloodedUntil>({.loop = 0}, at, &handled, [&] {
      Loop::Post(StateOf(bus())->inbox(0),
                 [&](Loop&) { handled_before = handled; });
    });
    Turn();  // it starts
    for (uint32_t i = 0; i < 5 * slice; ++i) flooded.Tell(Flood{});
    Turn();
    Turn();
    EXPECT_EQ(handled_before, slice / 2);
    RunUntilQuiet(LoopOf(bus(), 0));
    EXPECT_EQ(handled, 5 * slice);
    flooded.Stop();
    Turn();
  }
}

// A reply leaves before a long slice of another actor begins.
TEST_P(FairnessTest, P7_WhatWasSentGoesOutBeforeAFloodedSlice) {
  Start([&](BusOptions& options) {
    limits_ = options.loops[0];
    options.loops.resize(2, limits_);
  });
  uint64_t handled = 0, seen_at = 0;
  quiet_ = *bus().Spawn<QuietOne>({.loop = 1}, &pings_, &handled, &seen_at);
  auto flooded = *bus().Spawn<FloodedUntil>(
      {.loop = 0}, limits_.messages_per_turn + 1, &handled,
      [&] { EXPECT_TRUE(StateOf(bus())->inbox(1).handoff.HasWork()); });
  struct Sender : Actor {
    explicit Sender(Ref<QuietOne> to) : to(std::move(to)) {}
    void On(const Ping&) { to.Tell(Ping{}); }
    const Ref<QuietOne> to;
  };
  auto sender = *bus().Spawn<Sender>({.loop = 0}, quiet_);
  for (uint32_t i = 0; i < 5 * limits_.messages_per_slice; ++i) {
    flooded.Tell(Flood{});
  }
  Turn();
  LoopOf(bus(), 1).RunOnce();
  ASSERT_FALSE(StateOf(bus())->inbox(1).handoff.HasWork());
  sender.Tell(Ping{});
  Turn();
  EXPECT_GT(handled, limits_.messages_per_turn);
  bus().RunUntilIdle();
  EXPECT_EQ(pings_, 1u);
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
    LoopOf(bus(), 0).timers().Set(
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
  auto token = LoopOf(bus(), 0).descriptors().Watch(
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
  LoopOf(bus(), 0).descriptors().Unwatch(*token);
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
  quiet_ =
      *bus().Spawn<QuietOne>({.loop = 0}, &pings_, &flood_, &flood_at_ping_);
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
  Eager eager(LoopOf(bus(), 0).timers());
  eager.OnTimer();
  quiet_.Tell(Ping{});
  Turn();
  EXPECT_EQ(eager.fired, 2);
  EXPECT_EQ(pings_, 1u);
}

}  // namespace
}  // namespace trolley::internal
