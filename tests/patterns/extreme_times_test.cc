// SPDX-License-Identifier: Apache-2.0
//
// P17: each length of time of the patterns, at its extremes.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/patterns/aggregator.h"
#include "trolley/actors/patterns/ask_all.h"
#include "trolley/actors/patterns/batcher.h"
#include "trolley/actors/patterns/bulkhead.h"
#include "trolley/actors/patterns/circuit_breaker.h"
#include "trolley/actors/patterns/idempotency.h"
#include "trolley/actors/patterns/rate_limiter.h"
#include "trolley/actors/patterns/reply_stream.h"
#include "trolley/actors/patterns/retry.h"
#include "trolley/actors/patterns/within.h"
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::testing {
namespace {

absl::Status Down() { return absl::UnavailableError("down"); }

// A bus, and an actor that runs what it is given.
struct World {
  // How long `what` took; infinite if it has not ended within a day, and its
  // length is not one that ends.
  absl::Duration Take(Experiment what) {
    const Instant start = sim.Now();
    outcome = Begin(lab, std::move(what));
    sim.RunUntilIdle();
    if (outcome->has_value()) return sim.Now() - start;
    sim.RunUntil([&] { return outcome->has_value(); }, absl::Hours(24));
    return outcome->has_value() ? sim.Now() - start : absl::InfiniteDuration();
  }
  absl::StatusCode code() const { return (*outcome)->code(); }

  SimBus sim;
  const Ref<Lab> lab = sim.Spawn<Lab>({});
  Outcome outcome;
};

// It took `e`, or did not end if that is more than a day.
void ExpectTook(const Extreme& e, absl::Duration took) {
  if (e.value > absl::Hours(24)) {
    EXPECT_EQ(took, absl::InfiniteDuration());
    return;
  }
  EXPECT_GE(took, absl::ZeroDuration());
  EXPECT_LE(took, absl::Nanoseconds(2));
}

TEST(PatternExtremes, P17_Within) {
  const auto check = [](const Extreme& e) {
    World world;
    ExpectTook(e, world.Take([&](Lab& lab) -> Task<absl::Status> {
      const auto result = co_await Within(e.value, lab.Never());
      co_return result.status();
    }));
    if (e.value <= absl::Hours(24)) {
      EXPECT_EQ(world.code(), absl::StatusCode::kDeadlineExceeded);
    }
  };
  ForEachExtreme("actors/patterns/within.h Within(length)", check);
  ForEachExtreme("actors/patterns/internal/pause.h EndOf(length)", check);
  ForEachExtreme("actors/patterns/internal/pause.h OutOfTime(length)", check);
}

TEST(PatternExtremes, P17_WithDeadline) {
  const auto check = [](const Extreme& e) {
    World world;
    const Instant end = e.After(world.sim.Now());
    ExpectTook(e, world.Take([&](Lab& lab) -> Task<absl::Status> {
      const auto result = co_await WithDeadline(end, lab.Never());
      co_return result.status();
    }));
  };
  ForEachExtreme("actors/patterns/within.h WithDeadline(deadline)", check);
  ForEachExtreme("actors/patterns/internal/pause.h EndOf(deadline)", check);
  ForEachExtreme("actors/patterns/internal/pause.h OutOfTime(deadline)", check);
  ForEachExtreme("actors/patterns/internal/pause.h PauseUntil(end)", check);
}

class Deaf : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  Task<int> On(Work) {
    co_await Sleep(absl::InfiniteDuration());
    co_return 1;
  }
  Task<absl::StatusOr<ReplyStreamBatch<int>>> On(ReplyStreamPull<int>) {
    co_await Sleep(absl::InfiniteDuration());
    co_return absl::UnknownError("");
  }
  Task<absl::Status> On(ReplyStreamKey) {
    co_await Sleep(absl::InfiniteDuration());
    co_return absl::OkStatus();
  }
};

TEST(PatternExtremes, P17_AskAll) {
  const auto check = [](const Extreme& e) {
    World world;
    const std::vector<Ref<Deaf>> refs = {world.sim.Spawn<Deaf>({})};
    ExpectTook(e, world.Take([&](Lab&) -> Task<absl::Status> {
      const auto replies = co_await AskAll(refs, Work{}, e.value);
      EXPECT_EQ(replies[0].status().code(),
                absl::StatusCode::kDeadlineExceeded);
      auto tasks = AskEach(refs, Work{}, e.value);
      const auto reply = co_await std::move(tasks[0]);
      co_return reply.status();
    }));
  };
  ForEachExtreme("actors/patterns/ask_all.h AskAll(timeout)", check);
  ForEachExtreme("actors/patterns/ask_all.h AskEach(timeout)", check);
  ForEachExtreme("actors/patterns/ask_all.h SendAsk(timeout)", check);
}

// How long the pause of one retry takes.
void CheckPause(const Extreme& e, RetryOptions options) {
  options.attempts = 2;
  options.jitter = 0;
  Retry retry(options);
  World world;
  ExpectTook(e, world.Take([&](Lab& lab) -> Task<absl::Status> {
    const auto work = [&] { return lab.Failing(0, Down()); };
    co_return co_await retry.Run(work);
  }));
}

TEST(PatternExtremes, P17_RetryPauses) {
  const auto first = [](const Extreme& e) {
    CheckPause(
        e, {.first_pause = e.value, .longest_pause = absl::InfiniteDuration()});
  };
  ForEachExtreme("actors/patterns/retry.h RetryOptions::first_pause", first);
  ForEachExtreme("actors/patterns/internal/pause.h PauseFor(length)", first);
  ForEachExtreme("actors/patterns/retry.h RetryOptions::longest_pause",
                 [](const Extreme& e) {
                   CheckPause(e, {.first_pause = absl::InfiniteDuration(),
                                  .longest_pause = e.value});
                 });
}

// Full jitter and growth do not overflow.
TEST(PatternExtremes, P17_RetryPausesWithJitter) {
  ForEachExtreme("actors/patterns/retry.h RetryOptions::first_pause",
                 [](const Extreme& e) {
                   Retry retry({.attempts = 1000,
                                .first_pause = e.value,
                                .longest_pause = absl::InfiniteDuration(),
                                .growth = 100,
                                .jitter = 1});
                   World world;
                   const absl::Duration took =
                       world.Take([&](Lab& lab) -> Task<absl::Status> {
                         const auto work = [&] {
                           return lab.Failing(0, Down());
                         };
                         co_return co_await retry.Run(work);
                       });
                   EXPECT_GE(took, absl::ZeroDuration());
                 });
}

TEST(PatternExtremes, P17_CircuitBreaker) {
  ForEachExtreme(
      "actors/patterns/circuit_breaker.h CircuitBreakerOptions::open_for",
      [](const Extreme& e) {
        CircuitBreaker breaker({.failures = 1, .open_for = e.value});
        World world;
        const auto call = [&](Lab& lab) -> Task<absl::Status> {
          const auto work = [&] { return lab.Failing(0, Down()); };
          co_return co_await breaker.Run(work);
        };
        world.Take(call);
        world.sim.RunFor(absl::Nanoseconds(1));
        world.Take(call);
        EXPECT_EQ(breaker.stats().refused, e.soon() ? 0u : 1u);
      });
  ForEachExtreme(
      "actors/patterns/circuit_breaker.h CircuitBreakerOptions::longest_probe",
      [](const Extreme& e) {
        CircuitBreaker breaker({.failures = 1,
                                .open_for = absl::ZeroDuration(),
                                .longest_probe = e.value});
        World world;
        world.Take([&](Lab& lab) -> Task<absl::Status> {
          const auto work = [&] { return lab.Failing(0, Down()); };
          co_return co_await breaker.Run(work);
        });
        Begin(world.lab, [&](Lab& lab) -> Task<absl::Status> {
          const auto hangs = [&] { return lab.Failing(1'000'000'000, {}); };
          co_return co_await breaker.Run(hangs);
        });
        world.sim.RunUntilIdle();
        world.sim.RunFor(absl::Nanoseconds(1));
        world.Take([&](Lab& lab) -> Task<absl::Status> {
          const auto work = [&] { return lab.Failing(0, absl::OkStatus()); };
          co_return co_await breaker.Run(work);
        });
        EXPECT_EQ(breaker.state(), e.soon() ? CircuitBreaker::State::kClosed
                                            : CircuitBreaker::State::kHalfOpen);
      });
}

TEST(PatternExtremes, P17_Bulkhead) {
  ForEachExtreme("actors/patterns/bulkhead.h BulkheadOptions::longest_wait",
                 [](const Extreme& e) {
                   Bulkhead bulkhead({.at_once = 1, .longest_wait = e.value});
                   World world;
                   const auto call = [&](Lab& lab) -> Task<absl::Status> {
                     const auto hangs = [&] {
                       return lab.Failing(1'000'000'000, {});
                     };
                     co_return co_await bulkhead.Run(hangs);
                   };
                   Begin(world.lab, call);
                   world.sim.RunUntilIdle();
                   ExpectTook(e, world.Take(call));
                 });
}

TEST(PatternExtremes, P17_RateLimiter) {
  ForEachExtreme(
      "actors/patterns/rate_limiter.h RateLimiterOptions::longest_wait",
      [](const Extreme& e) {
        RateLimiter limiter({.permits = 1,
                             .per = absl::Hours(24 * 300),
                             .burst = 1,
                             .longest_wait = e.value});
        World world;
        const auto call = [&](Lab&) -> Task<absl::Status> {
          co_return co_await limiter.Acquire();
        };
        EXPECT_EQ(world.Take(call), absl::ZeroDuration());
        ExpectTook(e, world.Take(call));
      });
  ForEachExtreme(
      "actors/patterns/rate_limiter.h RateLimiterOptions::per",
      [](const Extreme& e) {
        RateLimiter limiter({.permits = 1, .per = e.value, .burst = 1});
        World world;
        const auto call = [&](Lab&) -> Task<absl::Status> {
          co_return co_await limiter.Acquire();
        };
        world.Take(call);
        if (e.value > RateLimiterOptions::kLongest) {
          EXPECT_EQ(world.code(), absl::StatusCode::kInvalidArgument);
          return;
        }
        EXPECT_LE(world.Take(call), absl::Nanoseconds(1));
        EXPECT_EQ(world.code(), absl::StatusCode::kOk);
      });
}

// The longest period that is allowed, with the largest burst, does not
// overflow.
TEST(PatternExtremes, P17_TheSlowestRateWithTheLargestBurst) {
  RateLimiter limiter({.permits = 1,
                       .per = RateLimiterOptions::kLongest,
                       .burst = RateLimiterOptions::kMost,
                       .waiting = 1});
  World world;
  world.Take([&](Lab&) -> Task<absl::Status> {
    for (int i = 0; i < 1000; ++i) {
      EXPECT_EQ(limiter.TryAcquire().code(),
                i < 291 ? absl::StatusCode::kOk : limiter.TryAcquire().code());
    }
    co_return absl::OkStatus();
  });
}

TEST(PatternExtremes, P17_Batcher) {
  ForEachExtreme("actors/patterns/batcher.h BatcherOptions::age",
                 [](const Extreme& e) {
                   Batcher<int> batcher({.age = e.value});
                   World world;
                   ExpectTook(e, world.Take([&](Lab&) -> Task<absl::Status> {
                     (void)batcher.Add(1);
                     (void)co_await batcher.Next();
                     co_return absl::OkStatus();
                   }));
                 });
}

TEST(PatternExtremes, P17_Aggregator) {
  ForEachExtreme("actors/patterns/aggregator.h AggregatorOptions::age",
                 [](const Extreme& e) {
                   Aggregator<int, int> groups({.age = e.value});
                   World world;
                   ExpectTook(e, world.Take([&](Lab&) -> Task<absl::Status> {
                     (void)groups.Add(1, 1, 2);
                     (void)co_await groups.Next();
                     co_return absl::OkStatus();
                   }));
                 });
}

TEST(PatternExtremes, P17_Idempotency) {
  ForEachExtreme(
      "actors/patterns/idempotency_options.h IdempotencyOptions::age",
      [](const Extreme& e) {
        Lab* object = nullptr;
        Idempotency<int, absl::Status> results(
            [&](Task<absl::Status> t) {
              object->RunInBackground(std::move(t));
            },
            {.age = e.value});
        World world;
        int worked = 0;
        const auto call = [&](Lab& lab) -> Task<absl::Status> {
          object = &lab;
          const auto work = [&] {
            ++worked;
            return lab.Failing(0, absl::OkStatus());
          };
          co_return co_await results.Run(1, work);
        };
        world.Take(call);
        world.sim.RunFor(absl::Nanoseconds(1));
        world.Take(call);
        EXPECT_EQ(worked, e.soon() ? 2 : 1);
      });
}

TEST(PatternExtremes, P17_ReplyStream) {
  ForEachExtreme(
      "actors/patterns/reply_stream_options.h ReplyStreamOptions::timeout",
      [](const Extreme& e) {
        World world;
        const Ref<Deaf> deaf = world.sim.Spawn<Deaf>({});
        ExpectTook(e, world.Take([&](Lab&) -> Task<absl::Status> {
          const ReplyStreamKey key;
          ReplyStreamReader<int> items(deaf, key, key, {.timeout = e.value});
          const auto item = co_await items.Next();
          co_return item.status();
        }));
      });
  ForEachExtreme(
      "actors/patterns/reply_stream_options.h ReplyStreamsOptions::patience",
      [](const Extreme& e) {
        ReplyStreams<int> streams({.patience = e.value});
        World world;
        ExpectTook(e, world.Take([&](Lab&) -> Task<absl::Status> {
          ReplyStreamWriter<int> out(streams, ReplyStreamKey());
          co_return co_await out.Yield(1);
        }));
      });
  ForEachExtreme(
      "actors/patterns/internal/reply_channel.h OutOfPatience(patience)",
      [](const Extreme& e) {
        EXPECT_EQ(internal::OutOfPatience(e.value).code(),
                  absl::StatusCode::kDeadlineExceeded);
      });
}

}  // namespace
}  // namespace trolley::testing
