// SPDX-License-Identifier: Apache-2.0
//
// The cheap clock of a loop: it is never ahead of the real time and at most a
// little behind.

#include "trolley/bus/loop/loop_clock.h"

#include "gtest/gtest.h"
#include "trolley/poller/sim/sim_clock.h"

namespace trolley::internal {
namespace {

constexpr absl::Duration kMostBehind =
    absl::Nanoseconds(LoopClock::kMostBehindNanos);

TEST(LoopClockTest, P17_RecentIsNeitherAheadNorFarBehind) {
  LoopClock clock(MonotonicClock());
  Instant last;
  for (int i = 0; i < 1'000'000; ++i) {
    const Instant before = clock.Now();
    const Instant recent = clock.Recent();
    const Instant after = clock.Now();
    ASSERT_LE(recent, after);
    ASSERT_GE(recent + kMostBehind, before);
    ASSERT_GE(recent, last);
    last = recent;
  }
}

TEST(LoopClockTest, P17_AfterIsNeverEarly) {
  LoopClock clock(MonotonicClock());
  for (int i = 0; i < 1'000'000; ++i) {
    const Instant now = clock.Now();
    ASSERT_GE(clock.After(absl::Nanoseconds(5)), now + absl::Nanoseconds(5));
  }
}

TEST(LoopClockTest, VirtualTimeIsExact) {
  SimClock sim;
  LoopClock clock(sim);
  EXPECT_EQ(clock.Recent(), sim.Now());
  sim.AdvanceTo(sim.Now() + absl::Nanoseconds(1));
  EXPECT_EQ(clock.Recent(), sim.Now());
  EXPECT_EQ(clock.After(absl::Nanoseconds(1)),
            sim.Now() + absl::Nanoseconds(1));
}

}  // namespace
}  // namespace trolley::internal
