// SPDX-License-Identifier: Apache-2.0
//
// Patterns stand in one another: a retry around a circuit breaker around a
// bulkhead around an ask, with a limit in time around all of it.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/patterns/ask_all.h"
#include "trolley/actors/patterns/bulkhead.h"
#include "trolley/actors/patterns/circuit_breaker.h"
#include "trolley/actors/patterns/quorum.h"
#include "trolley/actors/patterns/rate_limiter.h"
#include "trolley/actors/patterns/retry.h"
#include "trolley/actors/patterns/single_flight.h"
#include "trolley/actors/patterns/when_all.h"
#include "trolley/actors/patterns/when_any.h"
#include "trolley/actors/patterns/within.h"
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

// All of them, in a handler of one actor.
struct Guards {
  Retry retry{{.attempts = 4,
               .first_pause = absl::Milliseconds(100),
               .growth = 2,
               .jitter = 0,
               .budget_at_most = 100}};
  CircuitBreaker breaker{{.failures = 2, .open_for = absl::Milliseconds(250)}};
  Bulkhead bulkhead{{.at_once = 1, .waiting = 1}};
};

class CompositionTest : public ::testing::Test {
 protected:
  SimBus sim_;
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({});
  const Ref<Partner> partner_ = sim_.Spawn<Partner>({});
  Guards guards_;
};

TEST_F(CompositionTest, ARetryWaitsUntilTheBreakerLetsAProbeThrough) {
  std::vector<int64_t> asked;
  const Instant start = sim_.Now();
  const absl::Status status =
      RunIn(sim_, lab_, [&](Lab& lab) -> Task<absl::Status> {
        const auto ask = [&] {
          asked.push_back(absl::ToInt64Milliseconds(lab.Now() - start));
          const Work::Fate fate =
              asked.size() < 3 ? Work::Fate::kFail : Work::Fate::kAnswer;
          return partner_.Ask(Work{.fate = fate, .value = 7}, absl::Seconds(1));
        };
        const auto slotted = [&] { return guards_.bulkhead.Run(ask); };
        const auto guarded = [&] { return guards_.breaker.Run(slotted); };
        const absl::StatusOr<int> got =
            co_await Within(absl::Seconds(5), guards_.retry.Run(guarded));
        if (!got.ok()) co_return got.status();
        EXPECT_EQ(*got, 7);
        co_return absl::OkStatus();
      });
  EXPECT_EQ(status, absl::OkStatus());
  // At 0 and 100 it fails, and the breaker opens until 350. At 300 the breaker
  // refuses. At 700 the probe succeeds.
  EXPECT_EQ(asked, (std::vector<int64_t>{0, 100, 700}));
  EXPECT_EQ(guards_.breaker.state(), CircuitBreaker::State::kClosed);
  EXPECT_EQ(guards_.breaker.stats().refused, 1u);
  EXPECT_EQ(guards_.retry.stats().retries, 3u);
  EXPECT_EQ(guards_.bulkhead.stats().finished, 3u);
}

TEST_F(CompositionTest, P23_TheLimitAroundAllGivesEverythingBack) {
  const absl::Status status =
      RunIn(sim_, lab_, [&](Lab&) -> Task<absl::Status> {
        const auto ask = [&] {
          return partner_.Ask(Work{.fate = Work::Fate::kNever},
                              absl::InfiniteDuration());
        };
        const auto slotted = [&] { return guards_.bulkhead.Run(ask); };
        const auto guarded = [&] { return guards_.breaker.Run(slotted); };
        auto [a, b] = co_await WhenAll(
            Within(absl::Seconds(1), guards_.retry.Run(guarded)),
            Within(absl::Seconds(2), guards_.retry.Run(guarded)));
        EXPECT_EQ(a.status().code(), absl::StatusCode::kDeadlineExceeded);
        co_return b.status();
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(guards_.bulkhead.running(), 0u);
  EXPECT_EQ(guards_.bulkhead.waiting(), 0u);
  EXPECT_EQ(guards_.bulkhead.stats().cancelled, 2u);
  EXPECT_EQ(guards_.breaker.stats().cancelled, 2u);
  EXPECT_EQ(guards_.retry.stats().cancelled, 2u);
}

// --- Seeds -----------------------------------------------------------------

class Composed : public StormCaller {
 public:
  using StormCaller::StormCaller;
  static constexpr size_t kSucceeded = 0, kCancelled = 1;

 private:
  Task<absl::StatusOr<int>> Guarded() {
    const auto ask = [this] {
      return world().AnyPartner().Ask(world().NextWork(1),
                                      absl::Milliseconds(15));
    };
    const auto slotted = [&] { return bulkhead_.Run(ask); };
    const auto limited = [&] { return limiter_.Run(slotted); };
    const auto guarded = [&] { return breaker_.Run(limited); };
    const auto shared = [&] {
      return flights_.Run(static_cast<int>(world().Below(4)), guarded);
    };
    co_return co_await Within(absl::Milliseconds(50), retry_.Run(shared));
  }
  Task<absl::Status> Call(Go) override {
    std::vector<Task<absl::StatusOr<int>>> tasks;
    for (uint64_t n = 1 + world().Below(4); n > 0; --n) {
      tasks.push_back(Guarded());
    }
    switch (world().Below(3)) {
      case 0: {
        const size_t needed = 1 + world().Below(tasks.size());
        auto votes = co_await Quorum(needed, std::move(tasks));
        co_return votes.status();
      }
      case 1: {
        auto first = co_await WhenAny(std::move(tasks));
        co_return first->value.status();
      }
      default: {
        for (const auto& result : co_await WhenAll(std::move(tasks))) {
          if (!result.ok()) co_return result.status();
        }
        co_return absl::OkStatus();
      }
    }
  }
  void CheckAtRest() override {
    EXPECT_EQ(bulkhead_.running(), 0u);
    EXPECT_EQ(bulkhead_.waiting(), 0u);
    EXPECT_EQ(limiter_.waiting(), 0u);
    EXPECT_EQ(flights_.keys(), 0u);
    const RetryStats& r = retry_.stats();
    EXPECT_EQ(r.calls, r.succeeded + r.failed + r.cancelled);
    const CircuitBreakerStats& b = breaker_.stats();
    EXPECT_EQ(b.calls, b.refused + b.succeeded + b.failed + b.cancelled);
    const BulkheadStats& h = bulkhead_.stats();
    EXPECT_EQ(h.calls, h.refused + h.timed_out + h.finished + h.cancelled);
    const RateLimiterStats& l = limiter_.stats();
    EXPECT_EQ(l.calls, l.refused + l.timed_out + l.permitted + l.cancelled);
    const SingleFlightStats& f = flights_.stats();
    EXPECT_EQ(f.calls, f.refused + f.worked + f.shared + f.cancelled);
    world().counts[kSucceeded] += static_cast<int64_t>(r.succeeded);
    world().counts[kCancelled] += static_cast<int64_t>(r.cancelled);
  }

  Retry retry_{{.first_pause = absl::Milliseconds(4)}};
  CircuitBreaker breaker_{{.failures = 3, .open_for = absl::Milliseconds(10)}};
  RateLimiter limiter_{
      {.permits = 1000, .per = absl::Seconds(1), .burst = 3, .waiting = 8}};
  Bulkhead bulkhead_{{.at_once = 3, .waiting = 4}};
  SingleFlight<int, absl::StatusOr<int>> flights_;
};

TEST(CompositionSeeds, P23_AllOfThemAreAtRestInTheEnd) {
  int64_t succeeded = 0, cancelled = 0;
  const uint64_t seeds = ForEachSeed(500, [&](uint64_t seed) {
    RunStorm<Composed>(seed, [&](StormWorld& world, bool) {
      succeeded += world.counts[Composed::kSucceeded];
      cancelled += world.counts[Composed::kCancelled];
    });
  });
  if (seeds < 500) return;  // one seed is run again
  EXPECT_GT(succeeded, 1000);
  EXPECT_GT(cancelled, 1000);
}

}  // namespace
}  // namespace trolley::testing
