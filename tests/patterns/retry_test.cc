// SPDX-License-Identifier: Apache-2.0
//
// Retry: how often, after which pauses, and within which budget.

#include "trolley/actors/patterns/retry.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

absl::Status Down() { return absl::UnavailableError("down"); }

class RetryTest : public ::testing::Test {
 protected:
  // It outlives the bus, and so the calls of it that have not ended.
  Retry& Make(RetryOptions options) {
    return *made_.emplace_back(std::make_unique<Retry>(options));
  }

  // Runs one call; attempt number `ok_at` succeeds. Notes when each attempt
  // began, from the begin of the call, in milliseconds.
  absl::Status Call(Retry& retry, int ok_at, absl::Status failure = Down()) {
    begun_.clear();
    return RunIn(sim_, lab_, [&](Lab& lab) -> Task<absl::Status> {
      const Instant start = lab.Now();
      const auto work = [&] {
        begun_.push_back(absl::ToInt64Milliseconds(lab.Now() - start));
        const bool ok = static_cast<int>(begun_.size()) == ok_at;
        return lab.Failing(0, ok ? absl::OkStatus() : failure);
      };
      co_return co_await retry.Run(work);
    });
  }

  std::vector<std::unique_ptr<Retry>> made_;
  SimBus sim_;
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({});
  std::vector<int64_t> begun_;
};

using Times = std::vector<int64_t>;
constexpr int kNeverOk = 0;

TEST_F(RetryTest, ASuccessIsCalledOnce) {
  Retry& retry = Make({});
  EXPECT_EQ(Call(retry, 1), absl::OkStatus());
  EXPECT_EQ(begun_, (Times{0}));
  EXPECT_EQ(retry.stats().calls, 1u);
  EXPECT_EQ(retry.stats().succeeded, 1u);
  EXPECT_EQ(retry.stats().retries, 0u);
}

TEST_F(RetryTest, ThePausesGrowUpToTheLongest) {
  Retry& retry = Make({.attempts = 6,
                       .first_pause = absl::Milliseconds(10),
                       .longest_pause = absl::Milliseconds(50),
                       .growth = 2,
                       .jitter = 0});
  EXPECT_EQ(Call(retry, kNeverOk), Down());
  EXPECT_EQ(begun_, (Times{0, 10, 30, 70, 120, 170}));
  EXPECT_EQ(retry.stats().failed, 1u);
  EXPECT_EQ(retry.stats().retries, 5u);
}

TEST_F(RetryTest, TheFirstSuccessEndsIt) {
  Retry& retry = Make({.first_pause = absl::Milliseconds(10), .jitter = 0});
  EXPECT_EQ(Call(retry, 3), absl::OkStatus());
  EXPECT_EQ(begun_, (Times{0, 10, 30}));
}

TEST_F(RetryTest, JitterOnlyShortensAndDiffers) {
  Retry& retry = Make({.attempts = 2,
                       .first_pause = absl::Milliseconds(1000),
                       .jitter = 0.5,
                       .budget_per_call = 1});
  int64_t least = 1000, most = 0, equal = 0, last = 0;
  for (int i = 0; i < 200; ++i) {
    (void)Call(retry, kNeverOk);
    ASSERT_EQ(begun_.size(), 2u);
    least = std::min(least, begun_[1]);
    most = std::max(most, begun_[1]);
    equal += begun_[1] == std::exchange(last, begun_[1]) ? 1 : 0;
  }
  EXPECT_GE(least, 500);
  EXPECT_LT(least, 550);
  EXPECT_LE(most, 1000);
  EXPECT_GT(most, 950);
  EXPECT_LT(equal, 5);
}

TEST_F(RetryTest, ASeedGivesTheSamePauses) {
  const RetryOptions options = {.attempts = 5, .jitter = 1, .jitter_seed = 7};
  Retry &one = Make(options), two(options);
  (void)Call(one, kNeverOk);
  const Times first = begun_;
  (void)Call(two, kNeverOk);
  EXPECT_EQ(begun_, first);
}

TEST_F(RetryTest, WhatIsNotWorthItIsNotRetried) {
  Retry& retry = Make({});
  EXPECT_EQ(Call(retry, 2, absl::InvalidArgumentError("bad")),
            absl::InvalidArgumentError("bad"));
  EXPECT_EQ(begun_.size(), 1u);
  EXPECT_EQ(retry.stats().not_worth, 1u);
  EXPECT_EQ(Call(retry, 2, absl::ResourceExhaustedError("full")),
            absl::OkStatus());
  EXPECT_EQ(begun_.size(), 2u);
}

TEST_F(RetryTest, TheCallerSaysWhatIsWorthIt) {
  Retry& retry = Make({.retriable = [](const absl::Status& status) {
    return absl::IsAborted(status);
  }});
  (void)Call(retry, 2);
  EXPECT_EQ(begun_.size(), 1u);
  (void)Call(retry, 2, absl::AbortedError(""));
  EXPECT_EQ(begun_.size(), 2u);
}

TEST_F(RetryTest, P23_TheBudgetIsSpentExactly) {
  Retry& retry = Make({.attempts = 3,
                       .jitter = 0,
                       .budget_per_call = 0.1,
                       .budget_at_most = 3});
  // 3, of which the first call takes 2, and the second one that is left. Then
  // one in ten: the tenth call from then on, counting the second.
  (void)Call(retry, kNeverOk);
  EXPECT_EQ(begun_.size(), 3u);
  std::vector<size_t> attempts;
  for (int i = 0; i < 20; ++i) {
    (void)Call(retry, kNeverOk);
    attempts.push_back(begun_.size());
  }
  std::vector<size_t> expected(20, 1u);
  expected[0] = expected[9] = expected[19] = 2;
  EXPECT_EQ(attempts, expected);
  EXPECT_EQ(retry.stats().no_budget, 20u);
  EXPECT_LT(retry.budget(), 1);
}

TEST_F(RetryTest, P23_ARetryThatDoesNotBeginGoesBackIntoTheBudget) {
  Retry& retry = Make({.first_pause = absl::Hours(1),
                       .budget_per_call = 0,
                       .budget_at_most = 1});
  const Outcome outcome = Begin(
      lab_,
      [&](Lab& lab) -> Task<absl::Status> {
        const auto work = [&] { return lab.Failing(0, Down()); };
        co_return co_await retry.Run(work);
      },
      absl::Milliseconds(20));
  sim_.RunFor(absl::Milliseconds(5));
  EXPECT_EQ(retry.budget(), 0);
  sim_.RunFor(absl::Milliseconds(50));
  EXPECT_EQ((*outcome)->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(retry.budget(), 1);
  EXPECT_EQ(retry.stats().cancelled, 1u);
}

TEST_F(RetryTest, TheResultHasAValue) {
  Retry& retry = Make({.first_pause = absl::ZeroDuration()});
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab& lab) -> Task<absl::Status> {
                    int attempts = 0;
                    const auto work = [&] {
                      const absl::StatusOr<int> result =
                          ++attempts == 3 ? absl::StatusOr<int>(7) : Down();
                      return lab.Result(1, result);
                    };
                    EXPECT_EQ(*co_await retry.Run(work), 7);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
}

TEST_F(RetryTest, OptionsOutOfRangeAreNamed) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<RetryOptions, std::string>> bad = {
      {{.attempts = 0}, "RetryOptions::attempts is 0; it is 1 to 1000"},
      {{.attempts = 1001}, "RetryOptions::attempts is 1001"},
      {{.growth = 0.5}, "RetryOptions::growth is 0.5; it is 1 to 100"},
      {{.growth = nan}, "RetryOptions::growth is nan"},
      {{.jitter = 1.5}, "RetryOptions::jitter is 1.5"},
      {{.budget_per_call = -1}, "RetryOptions::budget_per_call is -1"},
      {{.budget_at_most = 2e6}, "RetryOptions::budget_at_most is 2e+06"}};
  for (const auto& [options, text] : bad) {
    Retry& retry = Make(options);
    const absl::Status status = Call(retry, 1);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
    EXPECT_TRUE(begun_.empty());
  }
}

// --- Seeds -----------------------------------------------------------------

class Retrier : public StormCaller {
 public:
  using StormCaller::StormCaller;
  static constexpr size_t kRetries = 0, kCancelled = 1;

 private:
  Task<absl::Status> Call(Go) override {
    const auto work = [this] {
      return world().AnyPartner().Ask(world().NextWork(1),
                                      absl::Milliseconds(15));
    };
    const absl::StatusOr<int> result = co_await retry_.Run(work);
    co_return result.status();
  }
  void CheckAtRest() override {
    const RetryStats& s = retry_.stats();
    EXPECT_EQ(s.calls, s.succeeded + s.failed + s.cancelled);
    EXPECT_LE(s.retries, 10 + s.calls / 5);
    EXPECT_LE(retry_.budget(), 10);
    // What is not in the budget was spent on retries, no more and no less,
    // unless the budget was full.
    EXPECT_GE(retry_.budget() + static_cast<double>(s.retries), 10 - 1e-9);
    world().counts[kRetries] += static_cast<int64_t>(s.retries);
    world().counts[kCancelled] += static_cast<int64_t>(s.cancelled);
  }

  Retry retry_{{.first_pause = absl::Milliseconds(5), .budget_per_call = 0.2}};
};

TEST(RetrySeeds, P23_EachCallEndsAndTheBudgetHolds) {
  int64_t retries = 0, cancelled = 0;
  const uint64_t seeds = ForEachSeed(300, [&](uint64_t seed) {
    RunStorm<Retrier>(seed, [&](StormWorld& world, bool) {
      retries += world.counts[Retrier::kRetries];
      cancelled += world.counts[Retrier::kCancelled];
    });
  });
  if (seeds < 300) return;  // one seed is run again
  EXPECT_GT(retries, 100);
  EXPECT_GT(cancelled, 100);
}

}  // namespace
}  // namespace trolley::testing
