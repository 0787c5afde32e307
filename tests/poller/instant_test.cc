// SPDX-License-Identifier: Apache-2.0
//
// P17, points in time: the rule of poller/instant.h at its extremes, and wait
// limits that are made from them.

#include "trolley/poller/instant.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"
#include "trolley/poller/sim/sim_clock.h"
#include "trolley/poller/wait_limit.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::internal {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// A machine that has just started, one that has run for a year, and clocks that
// no machine has.
const Instant kNow[] = {Instant(), Instant::FromNanos(1),
                        Instant::FromNanos(1'000'000'000),
                        Instant() + absl::Hours(24 * 365)};

TEST(InstantTest, P17_AddingIsNowThenOrNever) {
  ForEachExtreme("poller/instant.h operator+(by)", [](const Extreme& e) {
    for (const Instant now : kNow) {
      const Instant at = now + e.value;
      EXPECT_EQ(at.is_infinite(), e.never());
      if (!e.positive()) {
        EXPECT_LE(at, now);
      } else {
        EXPECT_GT(at, now);
      }
      if (e.positive() && e.soon()) {
        EXPECT_EQ(at.nanos(), now.nanos() + 1);  // rounded up: never early
      }
    }
  });
  ForEachExtreme("poller/instant.h operator+(at)", [](const Extreme& e) {
    EXPECT_TRUE((Instant::Infinite() + e.value).is_infinite());
    const Instant last = Instant::FromNanos(kMost - 1);
    EXPECT_EQ((last + e.value).is_infinite(), e.positive());
    const Instant first =
        Instant::FromNanos(std::numeric_limits<int64_t>::min());
    EXPECT_FALSE((first + e.value).is_infinite() && !e.never());
  });
}

TEST(InstantTest, P17_AddingNanosecondsIsAddingADuration) {
  const int64_t least = std::numeric_limits<int64_t>::min();
  for (const int64_t nanos : {int64_t{0}, int64_t{1}, int64_t{-1}, kMost - 1,
                              kMost, least, least + 1}) {
    for (const int64_t at : {int64_t{0}, int64_t{1}, int64_t{-1}, kMost - 1,
                             kMost, least, least + 1}) {
      const Instant from = Instant::FromNanos(at);
      EXPECT_EQ(from.PlusNanos(nanos), from + absl::Nanoseconds(nanos))
          << at << " + " << nanos;
    }
  }
}

TEST(InstantTest, SubtractingIsWhatIsLeft) {
  for (const char* what :
       {"poller/instant.h operator-(a)", "poller/instant.h operator-(b)"}) {
    SCOPED_TRACE(what);
    const Instant never = Instant::Infinite();
    const Instant now = Instant::FromNanos(5);
    EXPECT_EQ(never - now, absl::InfiniteDuration());
    EXPECT_EQ(never - never, absl::InfiniteDuration());
    EXPECT_EQ(now - never, -absl::InfiniteDuration());
  }
  ForEachExtreme("poller/instant.h operator-(a)", [](const Extreme& e) {
    for (const Instant now : kNow) {
      const Instant at = now + e.value;
      const absl::Duration left = at - now;
      EXPECT_EQ(left > absl::ZeroDuration(), e.positive());
      EXPECT_EQ(left == absl::InfiniteDuration(), e.never());
      EXPECT_EQ(now + left, at);
    }
  });
  ForEachExtreme("poller/instant.h operator-(b)", [](const Extreme& e) {
    for (const Instant now : kNow) {
      EXPECT_EQ(now - (now + e.value) < absl::ZeroDuration(), e.positive());
    }
  });
}

TEST(InstantTest, P17_KernelCallsWaitNotAtAllForATimeOrForEver) {
  SimClock clock;
  ForEachExtreme("poller/wait_limit.h WaitLimit(deadline)",
                 [&](const Extreme& e) {
                   WaitLimit limit(clock, e.After(clock.Now()));
                   EXPECT_EQ(limit.passed(), !e.positive());
                   EXPECT_EQ(limit.spec() == nullptr, e.never());
                   EXPECT_EQ(limit.millis() < 0, e.never());
                   if (limit.spec() != nullptr) {
                     EXPECT_GE(limit.spec()->tv_sec, 0);
                     EXPECT_GE(limit.spec()->tv_nsec, e.positive() && e.soon());
                     EXPECT_LT(limit.spec()->tv_nsec, 1'000'000'000);
                   }
                   if (e.positive()) {
                     EXPECT_NE(limit.millis(), 0);
                   }
                 });
}

}  // namespace
}  // namespace trolley::internal
