// SPDX-License-Identifier: Apache-2.0
//
// RateLimiter: the burst, the rate, the order, and that no permit is lost.

#include "trolley/actors/patterns/rate_limiter.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/patterns/within.h"
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

class RateLimiterTest : public ::testing::Test {
 protected:
  // It outlives the bus, and so the calls of it that have not ended.
  RateLimiter& Make(RateLimiterOptions options) {
    return *made_.emplace_back(std::make_unique<RateLimiter>(options));
  }

  // Begins a call; notes when it goes on, in milliseconds from the start.
  Outcome BeginCall(RateLimiter& limiter,
                    absl::Duration limit = absl::InfiniteDuration()) {
    return Begin(
        lab_,
        [this, &limiter](Lab& lab) -> Task<absl::Status> {
          const auto work = [&] {
            begun_.push_back(absl::ToInt64Milliseconds(lab.Now() - start_));
            return lab.Failing(0, absl::OkStatus());
          };
          co_return co_await limiter.Run(work);
        },
        limit);
  }

  std::vector<std::unique_ptr<RateLimiter>> made_;
  SimBus sim_;
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({});
  const Instant start_ = sim_.Now();
  std::vector<int64_t> begun_;
};

using Times = std::vector<int64_t>;

TEST_F(RateLimiterTest, TheBurstGoesAtOnceAndThenTheRate) {
  RateLimiter& limiter =
      Make({.permits = 10, .per = absl::Seconds(1), .burst = 3, .waiting = 10});
  for (int i = 0; i < 7; ++i) BeginCall(limiter);
  sim_.RunUntilIdle();
  EXPECT_EQ(begun_, (Times{0, 0, 0}));
  EXPECT_EQ(limiter.waiting(), 4u);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ(begun_, (Times{0, 0, 0, 100, 200, 300, 400}));
  EXPECT_EQ(limiter.stats().permitted, 7u);
}

TEST_F(RateLimiterTest, ARestFillsTheBurstAndNoMore) {
  RateLimiter& limiter =
      Make({.permits = 10, .per = absl::Seconds(1), .burst = 2, .waiting = 10});
  for (int i = 0; i < 2; ++i) BeginCall(limiter);
  sim_.RunFor(absl::Milliseconds(150));  // one and a half tokens
  for (int i = 0; i < 2; ++i) BeginCall(limiter);
  sim_.RunFor(absl::Hours(1));
  EXPECT_EQ(begun_, (Times{0, 0, 150, 200}));
  begun_.clear();
  for (int i = 0; i < 3; ++i) BeginCall(limiter);
  sim_.RunUntilIdle();
  EXPECT_EQ(begun_.size(), 2u);
}

TEST_F(RateLimiterTest, TryAcquireDoesNotWaitAndDoesNotPassTheLine) {
  RateLimiter& limiter =
      Make({.permits = 10, .per = absl::Seconds(1), .burst = 1, .waiting = 10});
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab& lab) -> Task<absl::Status> {
                    EXPECT_EQ(limiter.TryAcquire(), absl::OkStatus());
                    EXPECT_EQ(limiter.TryAcquire(),
                              absl::ResourceExhaustedError(
                                  "the rate limiter has no permit, of 10 in "
                                  "1s, and the call does not wait"));
                    co_await lab.Sleep(absl::Milliseconds(100));
                    EXPECT_EQ(limiter.TryAcquire(), absl::OkStatus());
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  const Outcome waits = BeginCall(limiter);
  sim_.RunUntilIdle();
  EXPECT_EQ(limiter.waiting(), 1u);
  absl::Status passed;
  sim_.world().At(sim_.Now() + absl::Milliseconds(100), [&] {
    Begin(lab_, [&](Lab&) -> Task<absl::Status> {
      passed = limiter.TryAcquire();
      co_return absl::OkStatus();
    });
  });
  sim_.RunFor(absl::Milliseconds(100));
  EXPECT_EQ(**waits, absl::OkStatus());
  EXPECT_EQ(passed.code(), absl::StatusCode::kResourceExhausted);
}

// The permit is due, but the timer of the line has not fired yet.
TEST_F(RateLimiterTest, AtTheSameMomentTheLineGoesFirst) {
  RateLimiter& limiter =
      Make({.permits = 10, .per = absl::Seconds(1), .burst = 1, .waiting = 10});
  const Outcome late = Begin(lab_, [&](Lab& lab) -> Task<absl::Status> {
    EXPECT_EQ(limiter.TryAcquire(), absl::OkStatus());
    co_await lab.Sleep(absl::Milliseconds(100));
    EXPECT_EQ(limiter.waiting(), 1u);
    EXPECT_EQ(limiter.TryAcquire().code(),
              absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(begun_.empty());
    const absl::Status permitted = co_await limiter.Acquire();
    EXPECT_EQ(begun_, (Times{100}));
    co_return permitted;
  });
  sim_.RunUntilIdle();
  BeginCall(limiter);
  sim_.RunFor(absl::Milliseconds(199));
  EXPECT_FALSE(late->has_value());
  sim_.RunFor(absl::Milliseconds(1));
  EXPECT_EQ(**late, absl::OkStatus());
}

TEST_F(RateLimiterTest, TooManyThatWaitAreRefused) {
  RateLimiter& limiter =
      Make({.permits = 1, .per = absl::Seconds(1), .burst = 1, .waiting = 1});
  BeginCall(limiter);
  BeginCall(limiter);
  const Outcome refused = BeginCall(limiter);
  sim_.RunUntilIdle();
  EXPECT_EQ(**refused,
            absl::ResourceExhaustedError(
                "the rate limiter has no permit, of 1 in 1s, and "
                "RateLimiterOptions::waiting = 1 calls wait for one"));
  EXPECT_EQ(limiter.stats().refused, 1u);
}

TEST_F(RateLimiterTest, P23_AWaitHasALimitAndCostsNoPermit) {
  RateLimiter& limiter = Make({.permits = 1,
                               .per = absl::Seconds(1),
                               .burst = 1,
                               .waiting = 10,
                               .longest_wait = absl::Milliseconds(900)});
  BeginCall(limiter);
  const Outcome late = BeginCall(limiter);
  sim_.RunFor(absl::Milliseconds(900));
  EXPECT_EQ((*late)->code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains((*late)->message(), "longest_wait = 900ms"));
  BeginCall(limiter);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ(begun_, (Times{0, 1000}));
}

TEST_F(RateLimiterTest, P23_ACancelledWaiterCostsNoPermit) {
  RateLimiter& limiter =
      Make({.permits = 1, .per = absl::Seconds(1), .burst = 1, .waiting = 10});
  BeginCall(limiter);
  BeginCall(limiter, absl::Milliseconds(500));
  BeginCall(limiter);
  sim_.RunFor(absl::Seconds(5));
  EXPECT_EQ(begun_, (Times{0, 1000}));
  EXPECT_EQ(limiter.stats().cancelled, 1u);
}

// The permit is given at the moment at which the limit destroys the waiter. The
// timer of the limiter is the older one, so it fires first.
TEST_F(RateLimiterTest, P23_APermitThatWasGivenAndNotUsedGoesBack) {
  RateLimiter& limiter =
      Make({.permits = 1, .per = absl::Seconds(1), .burst = 1, .waiting = 10});
  BeginCall(limiter);
  sim_.RunUntilIdle();
  Begin(lab_, [&](Lab& lab) -> Task<absl::Status> {
    const auto work = [&] { return lab.Failing(0, absl::OkStatus()); };
    co_return co_await Within(absl::Seconds(1), limiter.Run(work));
  });
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ(limiter.stats().cancelled, 1u) << "the race went the other way";
  BeginCall(limiter);
  sim_.RunUntilIdle();
  EXPECT_EQ(begun_, (Times{0, 1000}));
}

TEST_F(RateLimiterTest, ThreeInASecondAreThree) {
  RateLimiter& limiter = Make(
      {.permits = 3, .per = absl::Seconds(1), .burst = 1, .waiting = 1000});
  for (int i = 0; i < 301; ++i) BeginCall(limiter);
  sim_.RunFor(absl::Seconds(100));
  EXPECT_GE(begun_.size(), 300u);
  sim_.RunFor(absl::Milliseconds(1));
  EXPECT_EQ(begun_.size(), 301u);
}

TEST_F(RateLimiterTest, OptionsOutOfRangeAreNamed) {
  RateLimiter& none = Make({.permits = 0});
  const Outcome outcome = BeginCall(none);
  sim_.RunUntilIdle();
  EXPECT_EQ(**outcome,
            absl::InvalidArgumentError(
                "RateLimiterOptions::permits is 0; it is 1 to 1048576"));
  EXPECT_EQ(none.TryAcquire().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ValidateRateLimiterOptions({.burst = 0}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ValidateRateLimiterOptions({.waiting = (1u << 20) + 1}).code(),
            absl::StatusCode::kInvalidArgument);
}

// --- Seeds -----------------------------------------------------------------

class Limited : public StormCaller {
 public:
  using StormCaller::StormCaller;
  static constexpr size_t kCancelled = 0, kPermitted = 1;

 private:
  static constexpr int kBurst = 4;
  static constexpr absl::Duration kStep = absl::Milliseconds(3);

  Task<absl::Status> Call(Go) override {
    const auto work = [this] {
      times_.push_back(context().Now());
      return world().AnyPartner().Ask(world().NextWork(1),
                                      absl::Milliseconds(15));
    };
    const absl::StatusOr<int> result = co_await limiter_.Run(work);
    co_return result.status();
  }
  void CheckAtRest() override {
    EXPECT_EQ(limiter_.waiting(), 0u);
    const RateLimiterStats& s = limiter_.stats();
    EXPECT_EQ(s.calls, s.refused + s.timed_out + s.permitted + s.cancelled);
    EXPECT_EQ(s.permitted, times_.size());
    for (size_t i = kBurst; i < times_.size(); ++i) {
      EXPECT_GE(times_[i] - times_[i - kBurst], kStep);
    }
    for (size_t i = 0; i < times_.size(); i += 17) {
      for (size_t j = i; j < times_.size(); ++j) {
        EXPECT_LE(static_cast<double>(j - i + 1),
                  kBurst + absl::FDivDuration(times_[j] - times_[i], kStep));
      }
    }
    world().counts[kCancelled] += static_cast<int64_t>(s.cancelled);
    world().counts[kPermitted] += static_cast<int64_t>(s.permitted);
  }

  RateLimiter limiter_{{.permits = 10,
                        .per = kStep * 10,
                        .burst = kBurst,
                        .waiting = 5,
                        .longest_wait = absl::Milliseconds(10)}};
  std::vector<Instant> times_;
};

TEST(RateLimiterSeeds, P23_TheRateHoldsAndNoPermitIsLost) {
  int64_t cancelled = 0, permitted = 0;
  const uint64_t seeds = ForEachSeed(300, [&](uint64_t seed) {
    RunStorm<Limited>(seed, [&](StormWorld& world, bool) {
      cancelled += world.counts[Limited::kCancelled];
      permitted += world.counts[Limited::kPermitted];
    });
  });
  if (seeds < 300) return;  // one seed is run again
  EXPECT_GT(cancelled, 100);
  EXPECT_GT(permitted, 1000);
}

}  // namespace
}  // namespace trolley::testing
