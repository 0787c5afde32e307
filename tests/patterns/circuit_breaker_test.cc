// SPDX-License-Identifier: Apache-2.0
//
// CircuitBreaker: each state and each way from one to the next.

#include "trolley/actors/patterns/circuit_breaker.h"

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
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

using State = CircuitBreaker::State;

absl::Status Down() { return absl::UnavailableError("down"); }

class CircuitBreakerTest : public ::testing::Test {
 protected:
  // It outlives the bus, and so the calls of it that have not ended.
  CircuitBreaker& Make(CircuitBreakerOptions options) {
    return *made_.emplace_back(std::make_unique<CircuitBreaker>(options));
  }

  absl::Status Call(CircuitBreaker& breaker, absl::Status result, int ms = 0) {
    return RunIn(sim_, lab_, Calling(breaker, result, ms));
  }
  Outcome BeginCall(CircuitBreaker& breaker, absl::Status result, int ms,
                    absl::Duration limit = absl::InfiniteDuration()) {
    return Begin(lab_, Calling(breaker, result, ms), limit);
  }
  Experiment Calling(CircuitBreaker& breaker, absl::Status result, int ms) {
    return [this, &breaker, result, ms](Lab& lab) -> Task<absl::Status> {
      const auto work = [&] {
        ++worked_;
        return lab.Failing(ms, result);
      };
      co_return co_await breaker.Run(work);
    };
  }
  // Runs a call that must be refused.
  std::string Refused(CircuitBreaker& breaker) {
    const int before = worked_;
    const absl::Status status = Call(breaker, absl::OkStatus());
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
    EXPECT_EQ(worked_, before);
    return std::string(status.message());
  }

  std::vector<std::unique_ptr<CircuitBreaker>> made_;
  SimBus sim_;
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({});
  int worked_ = 0;
};

TEST_F(CircuitBreakerTest, ItOpensAtExactlyTheLastFailure) {
  CircuitBreaker& breaker = Make({.failures = 3});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Call(breaker, Down()), Down());
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(Call(breaker, Down()), Down());
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(Refused(breaker),
            "the circuit breaker is open for another 5s; the last failure: "
            "UNAVAILABLE: down");
  EXPECT_EQ(breaker.stats().opened, 1u);
}

TEST_F(CircuitBreakerTest, ASuccessBreaksTheRow) {
  CircuitBreaker& breaker = Make({.failures = 2});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Call(breaker, Down()), Down());
    EXPECT_EQ(Call(breaker, absl::OkStatus()), absl::OkStatus());
  }
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, WhatIsNoFailureOfThePartnerIsASuccess) {
  CircuitBreaker& breaker = Make({.failures = 2});
  (void)Call(breaker, Down());
  (void)Call(breaker, absl::NotFoundError("no such row"));
  (void)Call(breaker, Down());
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.stats().succeeded, 1u);
}

TEST_F(CircuitBreakerTest, TheCallerSaysWhatIsAFailure) {
  CircuitBreaker& breaker =
      Make({.failures = 1, .is_failure = [](const absl::Status& status) {
              return absl::IsNotFound(status);
            }});
  (void)Call(breaker, Down());
  EXPECT_EQ(breaker.state(), State::kClosed);
  (void)Call(breaker, absl::NotFoundError("gone"));
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST_F(CircuitBreakerTest, AfterTheTimeOneProbeDecides) {
  CircuitBreaker& breaker = Make({.failures = 1, .open_for = absl::Seconds(2)});
  (void)Call(breaker, Down());
  sim_.RunFor(absl::Seconds(2) - absl::Nanoseconds(1));
  EXPECT_TRUE(absl::StrContains(Refused(breaker), "another 1ns"));
  sim_.RunFor(absl::Nanoseconds(1));
  const Outcome probe = BeginCall(breaker, absl::OkStatus(), 10);
  sim_.RunUntilIdle();
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_TRUE(absl::StrContains(Refused(breaker), "waits for its probe"));
  sim_.RunFor(absl::Milliseconds(10));
  EXPECT_EQ(**probe, absl::OkStatus());
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(Call(breaker, absl::OkStatus()), absl::OkStatus());
}

TEST_F(CircuitBreakerTest, AProbeThatFailsOpensItAgainForTheWholeTime) {
  CircuitBreaker& breaker = Make({.failures = 3, .open_for = absl::Seconds(2)});
  for (int i = 0; i < 3; ++i) (void)Call(breaker, Down());
  sim_.RunFor(absl::Seconds(2));
  EXPECT_EQ(Call(breaker, Down()), Down());
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_TRUE(absl::StrContains(Refused(breaker), "another 2s"));
  EXPECT_EQ(breaker.stats().opened, 2u);
}

TEST_F(CircuitBreakerTest, SeveralProbesMustSucceedInARow) {
  CircuitBreaker& breaker =
      Make({.failures = 1, .open_for = absl::Seconds(1), .probes = 3});
  (void)Call(breaker, Down());
  sim_.RunFor(absl::Seconds(1));
  for (int i = 0; i < 2; ++i) (void)Call(breaker, absl::OkStatus());
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  (void)Call(breaker, Down());
  EXPECT_EQ(breaker.state(), State::kOpen);
  sim_.RunFor(absl::Seconds(1));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Call(breaker, absl::OkStatus()), absl::OkStatus());
  }
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, P23_AProbeThatIsCancelledLeavesItsPlace) {
  CircuitBreaker& breaker = Make({.failures = 1, .open_for = absl::Seconds(1)});
  (void)Call(breaker, Down());
  sim_.RunFor(absl::Seconds(1));
  BeginCall(breaker, absl::OkStatus(), 100'000, absl::Milliseconds(20));
  sim_.RunFor(absl::Milliseconds(5));
  (void)Refused(breaker);
  sim_.RunFor(absl::Milliseconds(50));
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_EQ(breaker.stats().cancelled, 1u);
  EXPECT_EQ(Call(breaker, absl::OkStatus()), absl::OkStatus());
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, AProbeThatTakesTooLongCountsAsFailed) {
  CircuitBreaker& breaker = Make({.failures = 1,
                                  .open_for = absl::Seconds(1),
                                  .longest_probe = absl::Seconds(10)});
  (void)Call(breaker, Down());
  sim_.RunFor(absl::Seconds(1));
  const Outcome hangs = BeginCall(breaker, absl::OkStatus(), 15'000);
  sim_.RunFor(absl::Seconds(10));
  EXPECT_TRUE(absl::StrContains(Refused(breaker), "a probe took too long"));
  EXPECT_EQ(breaker.state(), State::kOpen);
  sim_.RunFor(absl::Seconds(1));
  BeginCall(breaker, absl::OkStatus(), 60'000);  // a probe that hangs, too
  sim_.RunFor(absl::Seconds(5));
  // The first probe ended meanwhile. It is none any more.
  EXPECT_EQ(**hangs, absl::OkStatus());
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

TEST_F(CircuitBreakerTest, ACallOfAnEarlierStateCountsAsNothing) {
  CircuitBreaker& breaker = Make({.failures = 1, .open_for = absl::Seconds(1)});
  BeginCall(breaker, Down(), 3'000);            // ends when closed again
  BeginCall(breaker, absl::OkStatus(), 1'500);  // ends when half open
  sim_.RunUntilIdle();
  (void)Call(breaker, Down());
  sim_.RunFor(absl::Seconds(1));
  BeginCall(breaker, absl::OkStatus(), 1'000);  // the probe
  sim_.RunFor(absl::Milliseconds(600));
  EXPECT_EQ(breaker.state(), State::kHalfOpen) << "no probe has succeeded";
  sim_.RunFor(absl::Milliseconds(500));
  EXPECT_EQ(breaker.state(), State::kClosed);
  sim_.RunFor(absl::Seconds(5));
  EXPECT_EQ(breaker.state(), State::kClosed) << "the old failure counts";
  EXPECT_EQ(breaker.stats().failed, 2u);
}

TEST_F(CircuitBreakerTest, FailuresAtTheSameTimeOpenItOnce) {
  CircuitBreaker& breaker = Make({.failures = 3});
  for (int i = 0; i < 10; ++i) BeginCall(breaker, Down(), 10);
  sim_.RunFor(absl::Milliseconds(20));
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.stats().opened, 1u);
  EXPECT_EQ(breaker.stats().failed, 10u);
}

TEST_F(CircuitBreakerTest, OptionsOutOfRangeAreNamed) {
  CircuitBreaker& no_failures = Make({.failures = 0});
  CircuitBreaker& no_probes = Make({.probes = 0});
  EXPECT_EQ(Call(no_failures, absl::OkStatus()),
            absl::InvalidArgumentError("CircuitBreakerOptions::failures is 0; "
                                       "it is 1 to 1048576"));
  EXPECT_EQ(Call(no_probes, absl::OkStatus()).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(worked_, 0);
}

// --- Seeds -----------------------------------------------------------------

class Guarded : public StormCaller {
 public:
  using StormCaller::StormCaller;
  static constexpr size_t kOpened = 0, kCancelled = 1, kCalmOk = 2;

 private:
  Task<absl::Status> Call(Go) override {
    const auto work = [this] {
      return world().AnyPartner().Ask(world().NextWork(1),
                                      absl::Milliseconds(15));
    };
    const absl::StatusOr<int> result = co_await breaker_.Run(work);
    co_return result.status();
  }
  void CheckAtRest() override {
    const CircuitBreakerStats& s = breaker_.stats();
    EXPECT_EQ(s.calls, s.refused + s.succeeded + s.failed + s.cancelled);
    EXPECT_LE(s.opened, s.failed);
    world().counts[kOpened] += static_cast<int64_t>(s.opened);
    world().counts[kCancelled] += static_cast<int64_t>(s.cancelled);
    // An hour later all partners are well: whatever happened, the next call
    // runs. It is a probe, or the breaker is closed.
    if (world().calm && !asked_) {
      asked_ = true;
      RunInBackground([this]() -> Task<absl::Status> {
        EXPECT_EQ(co_await Call(Go{}), absl::OkStatus());
        EXPECT_EQ(breaker_.state(), CircuitBreaker::State::kClosed);
        ++world().counts[kCalmOk];
        co_return absl::OkStatus();
      });
    }
  }

  CircuitBreaker breaker_{{.failures = 2, .open_for = absl::Milliseconds(30)}};
  bool asked_ = false;
};

TEST(CircuitBreakerSeeds, P23_ItIsNeverStuck) {
  int64_t opened = 0, cancelled = 0;
  const uint64_t seeds = ForEachSeed(300, [&](uint64_t seed) {
    RunStorm<Guarded>(seed, [&](StormWorld& world, bool rested) {
      opened += world.counts[Guarded::kOpened];
      cancelled += world.counts[Guarded::kCancelled];
      if (rested) {
        EXPECT_EQ(world.counts[Guarded::kCalmOk], 2);
      }
    });
  });
  if (seeds < 300) return;  // one seed is run again
  EXPECT_GT(opened, 100);
  EXPECT_GT(cancelled, 100);
}

}  // namespace
}  // namespace trolley::testing
