// SPDX-License-Identifier: Apache-2.0
//
// The budget and the backoff, as numbers.

#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/supervision/internal/restart_budget.h"
#include "trolley/actors/supervision/internal/restart_delay.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::internal {
namespace {

Instant At(absl::Duration time) { return Instant::FromNanos(1'000) + time; }

TEST(RestartBudgetTest, P20_NRestartsHoldAndTheNextDoesNot) {
  for (const uint32_t most : {0u, 1u, 2u, 7u}) {
    RestartBudget budget(most, absl::Seconds(5));
    for (uint32_t i = 0; i < most; ++i) {
      EXPECT_TRUE(budget.Spend(At(absl::Seconds(1)))) << most;
    }
    EXPECT_FALSE(budget.Spend(At(absl::Seconds(1)))) << most;
  }
}

TEST(RestartBudgetTest, P20_ARestartCountsUntilItsTimeIsOver) {
  const absl::Duration within = absl::Seconds(5);
  RestartBudget early(1, within);
  EXPECT_TRUE(early.Spend(At(absl::ZeroDuration())));
  EXPECT_FALSE(early.Spend(At(within - absl::Nanoseconds(1))));
  RestartBudget late(1, within);
  EXPECT_TRUE(late.Spend(At(absl::ZeroDuration())));
  EXPECT_TRUE(late.Spend(At(within)));
  EXPECT_FALSE(late.Spend(At(within)));
}

TEST(RestartBudgetTest, P20_TheWindowMoves) {
  RestartBudget budget(2, absl::Seconds(5));
  EXPECT_TRUE(budget.Spend(At(absl::Seconds(0))));
  EXPECT_TRUE(budget.Spend(At(absl::Seconds(3))));
  EXPECT_TRUE(budget.Spend(At(absl::Seconds(5))));   // the first is over
  EXPECT_FALSE(budget.Spend(At(absl::Seconds(7))));  // 3 and 5 count
  EXPECT_TRUE(budget.Spend(At(absl::Seconds(8))));
}

TEST(RestartBudgetExtremes, Within) {
  ForEachExtreme(
      "actors/supervision/internal/restart_budget.h RestartBudget(within)",
      [](const Extreme& e) {
        RestartBudget budget(1, e.value);
        EXPECT_TRUE(budget.Spend(At(absl::ZeroDuration())));
        // Nothing counts any more at the same time, or it counts a year later.
        EXPECT_EQ(budget.Spend(At(absl::ZeroDuration())), !e.positive());
        if (e.soon() && e.positive()) return;
        EXPECT_EQ(budget.Spend(At(absl::Hours(24 * 365))), !e.positive());
      });
}

TEST(RestartBudgetExtremes, Now) {
  ForEachExtreme("actors/supervision/internal/restart_budget.h Spend(now)",
                 [](const Extreme& e) {
                   RestartBudget budget(1, absl::Seconds(5));
                   const Instant now = e.After(Instant());
                   EXPECT_TRUE(budget.Spend(now));
                   EXPECT_EQ(budget.Spend(now), now.is_infinite());
                 });
}

TEST(BackoffTest, ItGrowsByTheFactorUpToTheMost) {
  const Backoff backoff = {.first = absl::Milliseconds(100),
                           .most = absl::Seconds(1),
                           .factor = 3,
                           .jitter = 0};
  EXPECT_EQ(BackoffAfter(backoff, 1, 0.7), absl::Milliseconds(100));
  EXPECT_EQ(BackoffAfter(backoff, 2, 0.7), absl::Milliseconds(300));
  EXPECT_EQ(BackoffAfter(backoff, 3, 0.7), absl::Milliseconds(900));
  EXPECT_EQ(BackoffAfter(backoff, 4, 0.7), absl::Seconds(1));
  EXPECT_EQ(BackoffAfter(backoff, 1'000'000, 0.7), absl::Seconds(1));
  EXPECT_EQ(BackoffAfter(backoff, std::numeric_limits<uint32_t>::max(), 0.7),
            absl::Seconds(1));
}

TEST(BackoffTest, JitterTakesAwayAShare) {
  const Backoff backoff = {
      .first = absl::Seconds(1), .most = absl::Seconds(2), .jitter = 0.25};
  EXPECT_EQ(BackoffAfter(backoff, 1, 0), absl::Seconds(1));
  EXPECT_EQ(BackoffAfter(backoff, 1, 0.5), absl::Milliseconds(875));
  EXPECT_EQ(BackoffAfter(backoff, 1, 1), absl::Milliseconds(750));
  EXPECT_EQ(BackoffAfter(backoff, 9, 1), absl::Milliseconds(1500));
}

TEST(BackoffTest, NoFirstIsNoBackoffHoweverOften) {
  const Backoff backoff = {.first = absl::ZeroDuration()};
  for (const uint32_t failures : {1u, 2u, 2'000u, 4'000'000'000u}) {
    EXPECT_EQ(BackoffAfter(backoff, failures, 0.5), absl::ZeroDuration());
  }
}

TEST(RestartDelayTest, ItBeginsAgainAfterATimeUp) {
  SupervisorOptions options = {.within = absl::Seconds(5)};
  options.backoff = {.first = absl::Seconds(1),
                     .most = absl::Seconds(100),
                     .factor = 2,
                     .jitter = 0};
  RestartDelay delay;
  EXPECT_EQ(delay.Next(options, At(absl::Seconds(0)), 0), absl::Seconds(1));
  // It was never up, however long that took.
  EXPECT_EQ(delay.Next(options, At(absl::Seconds(100)), 0), absl::Seconds(2));
  // Up, and not long enough.
  delay.BeginUp(At(absl::Seconds(200)));
  EXPECT_EQ(
      delay.Next(options, At(absl::Seconds(205) - absl::Nanoseconds(1)), 0),
      absl::Seconds(4));
  // Up, but the supervisor stopped it; then its start failed.
  delay.BeginUp(At(absl::Seconds(300)));
  delay.EndUp();
  EXPECT_EQ(delay.Next(options, At(absl::Seconds(400)), 0), absl::Seconds(8));
  // Up, and long enough.
  delay.BeginUp(At(absl::Seconds(500)));
  EXPECT_EQ(delay.Next(options, At(absl::Seconds(505)), 0), absl::Seconds(1));
}

TEST(RestartDelayExtremes, BeginUp) {
  ForEachExtreme("actors/supervision/internal/restart_delay.h BeginUp(now)",
                 [](const Extreme& e) {
                   SupervisorOptions options;
                   options.backoff.jitter = 0;
                   RestartDelay delay;
                   delay.BeginUp(e.After(Instant()));
                   EXPECT_EQ(delay.Next(options, Instant::Infinite(), 0),
                             options.backoff.first);
                 });
}

TEST(RestartDelayExtremes, Next) {
  ForEachExtreme(
      "actors/supervision/internal/restart_delay.h Next(now)",
      [](const Extreme& e) {
        SupervisorOptions options;
        options.backoff.jitter = 0;
        RestartDelay delay;
        const Instant now = e.After(Instant());
        EXPECT_EQ(delay.Next(options, now, 0), options.backoff.first);
        delay.BeginUp(Instant());
        EXPECT_EQ(delay.Next(options, now, 0), now - Instant() >= options.within
                                                   ? options.backoff.first
                                                   : options.backoff.first * 2);
      });
}

}  // namespace
}  // namespace trolley::internal
