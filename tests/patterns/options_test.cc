// SPDX-License-Identifier: Apache-2.0
//
// Every number of the options of the patterns at its extremes: it works, or is
// refused by its name. Lengths of time have a test of their own.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/patterns/aggregator.h"
#include "trolley/actors/patterns/batcher.h"
#include "trolley/actors/patterns/bulkhead.h"
#include "trolley/actors/patterns/circuit_breaker.h"
#include "trolley/actors/patterns/idempotency.h"
#include "trolley/actors/patterns/rate_limiter.h"
#include "trolley/actors/patterns/reply_stream.h"
#include "trolley/actors/patterns/retry.h"
#include "trolley/actors/patterns/saga.h"
#include "trolley/actors/patterns/single_flight.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/patterns/lab.h"

namespace trolley::testing {
namespace {

using Code = absl::StatusCode;
using Results = std::vector<absl::Status>;

absl::Status Down() { return absl::UnavailableError("down"); }

// How many of `results` have this code.
size_t Count(const Results& results, Code code) {
  return static_cast<size_t>(std::count_if(
      results.begin(), results.end(),
      [code](const absl::Status& s) { return s.code() == code; }));
}

// Begins `count` calls of `call` together, and returns what they resolve to.
Results Together(size_t count, const Experiment& call) {
  SimBus sim;
  const Ref<Lab> lab = sim.Spawn<Lab>({});
  std::vector<Outcome> outcomes;
  for (size_t i = 0; i < count; ++i) outcomes.push_back(Begin(lab, call));
  sim.RunFor(absl::Hours(1));
  Results results;
  for (const Outcome& outcome : outcomes) results.push_back(outcome->value());
  return results;
}

// Results that are all the same error are that of the options.
absl::Status InvalidIn(const Results& results) {
  if (Count(results, Code::kInvalidArgument) == 0) return absl::OkStatus();
  EXPECT_EQ(Count(results, Code::kInvalidArgument), results.size());
  return results.front();
}

// The smaller one, as a size.
size_t Least(uint64_t a, size_t b) {
  return static_cast<size_t>(std::min<uint64_t>(a, b));
}

// --- Those that let some calls pass -----------------------------------------

absl::Status UseBulkhead(const BulkheadOptions& options) {
  constexpr size_t kCalls = 200;
  Bulkhead bulkhead(options);
  size_t most = 0;
  const Results results = Together(kCalls, [&](Lab& lab) -> Task<absl::Status> {
    const auto work = [&] {
      most = std::max(most, bulkhead.running());
      return lab.Failing(1, absl::OkStatus());
    };
    co_return co_await bulkhead.Run(work);
  });
  if (absl::Status invalid = InvalidIn(results); !invalid.ok()) return invalid;
  EXPECT_EQ(most, Least(options.at_once, kCalls));
  EXPECT_EQ(Count(results, Code::kOk),
            Least(uint64_t{options.at_once} + options.waiting, kCalls));
  EXPECT_EQ(Count(results, Code::kResourceExhausted),
            kCalls - Count(results, Code::kOk));
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfABulkhead) {
  AtExtremes<BulkheadOptions>(
      [](BulkheadOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, at_once, waiting, longest_wait);
      },
      UseBulkhead);
  constexpr uint32_t kMost = BulkheadOptions::kMost;
  EXPECT_TRUE(UseBulkhead({.at_once = kMost, .waiting = kMost}).ok());
  EXPECT_FALSE(UseBulkhead({.at_once = kMost + 1}).ok());
  EXPECT_FALSE(UseBulkhead({.waiting = kMost + 1}).ok());
}

absl::Status UseRateLimiter(const RateLimiterOptions& options) {
  constexpr size_t kCalls = 200;
  RateLimiter limiter(options);
  // What has passed at once, and how long the last one had to wait.
  size_t at_once = 0;
  absl::Duration longest;
  const Results results = Together(kCalls, [&](Lab& lab) -> Task<absl::Status> {
    const Instant begin = lab.Now();
    absl::Status permitted = co_await limiter.Acquire();
    if (!permitted.ok()) co_return permitted;
    longest = std::max(longest, lab.Now() - begin);
    at_once += lab.Now() == begin;
    co_return permitted;
  });
  if (absl::Status invalid = InvalidIn(results); !invalid.ok()) return invalid;
  EXPECT_EQ(at_once, Least(options.burst, kCalls));
  const size_t waited = Least(options.waiting, kCalls - at_once);
  EXPECT_EQ(Count(results, Code::kOk), at_once + waited);
  EXPECT_EQ(Count(results, Code::kResourceExhausted),
            kCalls - Count(results, Code::kOk));
  // Each waits for a permit more than the one before it.
  const absl::Duration step =
      absl::Ceil(options.per / options.permits, absl::Nanoseconds(1));
  EXPECT_EQ(longest, step * waited);
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfARateLimiter) {
  AtExtremes<RateLimiterOptions>(
      [](RateLimiterOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, permits, per, burst, waiting, longest_wait);
      },
      UseRateLimiter);
  constexpr uint32_t kMost = RateLimiterOptions::kMost;
  EXPECT_TRUE(
      UseRateLimiter({.permits = kMost, .burst = kMost, .waiting = kMost})
          .ok());
  EXPECT_TRUE(UseRateLimiter({.waiting = kMost}).ok());
  // The longest time ahead: a burst of years.
  EXPECT_TRUE(UseRateLimiter({.permits = 1,
                              .per = RateLimiterOptions::kLongest,
                              .burst = kMost,
                              .waiting = 0})
                  .ok());
  EXPECT_FALSE(UseRateLimiter({.permits = kMost + 1}).ok());
  EXPECT_FALSE(UseRateLimiter({.burst = kMost + 1}).ok());
  EXPECT_FALSE(UseRateLimiter({.waiting = kMost + 1}).ok());
}

absl::Status UseCircuitBreaker(const CircuitBreakerOptions& options) {
  constexpr uint64_t kCalls = 50;
  CircuitBreaker breaker(options);
  SimBus sim;
  const Ref<Lab> lab = sim.Spawn<Lab>({});
  const auto call = [&](absl::Status result) {
    return RunIn(sim, lab, [&](Lab& lab) -> Task<absl::Status> {
      const auto work = [&] { return lab.Failing(0, result); };
      co_return co_await breaker.Run(work);
    });
  };
  const absl::Status first = call(Down());
  if (absl::IsInvalidArgument(first)) return first;
  // It opens at failure number `failures`.
  for (uint64_t i = 1; i < Least(options.failures, kCalls); ++i) {
    EXPECT_EQ(breaker.state(), CircuitBreaker::State::kClosed);
    EXPECT_EQ(call(Down()), Down());
  }
  if (options.failures > kCalls) {
    EXPECT_EQ(breaker.state(), CircuitBreaker::State::kClosed);
    return absl::OkStatus();
  }
  EXPECT_EQ(breaker.state(), CircuitBreaker::State::kOpen);
  // It closes after `probes` successes.
  sim.RunFor(options.open_for);
  for (uint64_t i = 0; i < Least(options.probes, kCalls); ++i) {
    EXPECT_EQ(call(absl::OkStatus()), absl::OkStatus());
    EXPECT_EQ(breaker.state(), i + 1 < options.probes
                                   ? CircuitBreaker::State::kHalfOpen
                                   : CircuitBreaker::State::kClosed);
  }
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfACircuitBreaker) {
  AtExtremes<CircuitBreakerOptions>(
      [](CircuitBreakerOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, failures, open_for, probes, longest_probe,
                       is_failure);
      },
      UseCircuitBreaker);
  constexpr uint32_t kMost = CircuitBreakerOptions::kMost;
  EXPECT_TRUE(UseCircuitBreaker({.failures = kMost}).ok());
  EXPECT_TRUE(UseCircuitBreaker({.failures = 1, .probes = kMost}).ok());
  EXPECT_FALSE(UseCircuitBreaker({.failures = kMost + 1}).ok());
  EXPECT_FALSE(UseCircuitBreaker({.probes = kMost + 1}).ok());
}

// --- Retry ------------------------------------------------------------------

template <typename Visit>
void VisitRetry(RetryOptions& o, Visit visit) {
  TROLLEY_FIELDS(o, visit, attempts, first_pause, longest_pause, growth, jitter,
                 budget_per_call, budget_at_most, retriable, jitter_seed);
}

// A call of which all attempts fail.
absl::Status UseRetry(const RetryOptions& options) {
  Retry retry(options);
  uint64_t attempts = 0;
  absl::Duration took;
  SimBus sim;
  const Ref<Lab> lab = sim.Spawn<Lab>({});
  const absl::Status result =
      RunIn(sim, lab, [&](Lab& lab) -> Task<absl::Status> {
        const Instant begin = lab.Now();
        const auto work = [&] {
          ++attempts;
          return lab.Failing(0, Down());
        };
        absl::Status end = co_await retry.Run(work);
        took = lab.Now() - begin;
        co_return end;
      });
  if (absl::IsInvalidArgument(result)) {
    EXPECT_EQ(attempts, 0u);
    return result;
  }
  EXPECT_EQ(result, Down());
  // The budget begins with budget_at_most, in millionths of a retry.
  EXPECT_EQ(attempts, std::min<uint64_t>(
                          options.attempts,
                          1 + static_cast<uint64_t>(options.budget_at_most)));
  EXPECT_LE(took, options.longest_pause * (attempts - 1));
  EXPECT_GE(retry.budget(), 0);
  EXPECT_LE(retry.budget(), options.budget_at_most);
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfARetry) {
  AtExtremes<RetryOptions>(
      [](RetryOptions& o, auto visit) { VisitRetry(o, visit); }, UseRetry);
  // All attempts that there may be, with a budget for them.
  constexpr uint32_t kMost = RetryOptions::kMostAttempts;
  EXPECT_TRUE(UseRetry({.attempts = kMost, .budget_at_most = 1e6}).ok());
  EXPECT_FALSE(UseRetry({.attempts = kMost + 1}).ok());
}

TEST(OptionsTest, EveryFractionOfARetry) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kMost = std::numeric_limits<double>::max();
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  struct Field {
    std::string name;
    double RetryOptions::*field;
    double least;
    double most;
  };
  const std::vector<Field> fields = {
      {"growth", &RetryOptions::growth, 1, 100},
      {"jitter", &RetryOptions::jitter, 0, 1},
      {"budget_per_call", &RetryOptions::budget_per_call, 0, 1e6},
      {"budget_at_most", &RetryOptions::budget_at_most, 0, 1e6}};
  for (const auto& [name, field, least, most] : fields) {
    for (const double value : {kNaN, -kInfinity, -kMost, -kLeast, -0.0, 0.0,
                               kLeast, 0.5, 1.0, 1.0 + 1e-15, 100.0, 101.0, 1e6,
                               1e6 + 1, 1e18, 1e19, kMost, kInfinity}) {
      SCOPED_TRACE(absl::StrCat(name, " = ", value));
      RetryOptions options;
      options.*field = value;
      const absl::Status used = UseRetry(options);
      EXPECT_EQ(used.ok(), value >= least && value <= most) << used;
      if (!used.ok()) {
        EXPECT_TRUE(absl::StrContains(used.message(), name)) << used;
      }
      // It is the field `undo` of a saga, too.
      EXPECT_EQ(ValidateSagaOptions({.undo = options}).ok(), used.ok());
    }
  }
}

// --- Those that keep something by keys --------------------------------------

// Begins two calls for each of three keys, and returns the results.
template <typename Pattern>
Results TwoForEachOfThreeKeys(Pattern& pattern) {
  int next = 0;
  return Together(6, [&](Lab& lab) -> Task<absl::Status> {
    const int key = next++ / 2;
    const auto work = [&] { return lab.Failing(1, absl::OkStatus()); };
    co_return co_await pattern.Run(key, work);
  });
}

absl::Status UseSingleFlight(const SingleFlightOptions& options) {
  SingleFlight<int, absl::Status> flight(options);
  const Results results = TwoForEachOfThreeKeys(flight);
  if (absl::Status invalid = InvalidIn(results); !invalid.ok()) return invalid;
  const size_t keys = Least(options.keys, 3);
  EXPECT_EQ(Count(results, Code::kOk), keys * (1 + Least(options.waiting, 1)));
  EXPECT_EQ(flight.stats().worked, keys);
  EXPECT_EQ(flight.stats().refused, 6 - Count(results, Code::kOk));
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfASingleFlight) {
  AtExtremes<SingleFlightOptions>(
      [](SingleFlightOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, keys, waiting);
      },
      UseSingleFlight);
  constexpr size_t kMost = SingleFlightOptions::kMost;
  EXPECT_TRUE(UseSingleFlight({.keys = kMost, .waiting = kMost}).ok());
  EXPECT_FALSE(UseSingleFlight({.keys = kMost + 1}).ok());
  EXPECT_FALSE(UseSingleFlight({.waiting = kMost + 1}).ok());
}

// Works for keys as an actor does, one call after the other or two at once.
struct Work {
  int key;
};
class Worker : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Worker(const IdempotencyOptions& options)
      : results_(
            [this](Task<absl::Status> t) { RunInBackground(std::move(t)); },
            options) {}
  Task<absl::Status> On(Work m) {
    const auto work = [this] { return Rest(); };
    co_return co_await results_.Run(m.key, work);
  }

 private:
  Task<absl::Status> Rest() {
    co_await Sleep(absl::Milliseconds(1));
    co_return absl::OkStatus();
  }
  Idempotency<int, absl::Status> results_;
};

absl::Status UseIdempotency(const IdempotencyOptions& options) {
  SimBus sim;
  const auto worker = sim.Spawn<Worker>({}, options);
  const auto begin = [&](int key) {
    auto outcome = std::make_shared<std::optional<absl::Status>>();
    worker.AskThen(Work{key}, absl::InfiniteDuration(),
                   [outcome](absl::Status s) { outcome->emplace(s); });
    return outcome;
  };
  // Two calls for one key, of which the second waits for the first.
  const Outcome first = begin(1), second = begin(1);
  sim.RunFor(absl::Seconds(1));
  if (absl::IsInvalidArgument(**first)) return **first;
  EXPECT_EQ(**first, absl::OkStatus());
  EXPECT_EQ((*second)->code(),
            options.waiting > 0 ? Code::kOk : Code::kResourceExhausted);
  // Its result is kept, as one of the keys and with its bytes.
  const Outcome third = begin(2);
  sim.RunFor(absl::Seconds(1));
  const bool fits = options.keys > 1 && options.bytes > sizeof(absl::Status);
  EXPECT_EQ((*third)->code(), fits ? Code::kOk : Code::kResourceExhausted)
      << **third;
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfAnIdempotency) {
  AtExtremes<IdempotencyOptions>(
      [](IdempotencyOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, keys, bytes, waiting, age, keep_error);
      },
      UseIdempotency);
  constexpr size_t kMost = IdempotencyOptions::kMost;
  EXPECT_TRUE(
      UseIdempotency({.keys = kMost, .bytes = kMost, .waiting = kMost}).ok());
  EXPECT_FALSE(UseIdempotency({.keys = kMost + 1}).ok());
  EXPECT_FALSE(UseIdempotency({.bytes = kMost + 1}).ok());
  EXPECT_FALSE(UseIdempotency({.waiting = kMost + 1}).ok());
}

// --- Those that collect -----------------------------------------------------

absl::Status UseAggregator(const AggregatorOptions& options) {
  SimBus sim;
  const Ref<Lab> lab = sim.Spawn<Lab>({});
  Aggregator<int, int> aggregator(options);
  return RunIn(sim, lab, [&](Lab&) -> Task<absl::Status> {
    // Three parts for each of three keys; one more would make a group complete.
    Results results;
    for (int i = 0; i < 9; ++i) {
      results.push_back(aggregator.Add(i % 3, i, /*needed=*/4));
    }
    absl::Status invalid = InvalidIn(results);
    if (!invalid.ok()) co_return invalid;
    const size_t groups = Least(options.groups, Least(options.parts, 3));
    EXPECT_EQ(aggregator.groups(), groups);
    EXPECT_EQ(aggregator.parts(), Least(options.parts, 3 * groups));
    EXPECT_EQ(Count(results, Code::kResourceExhausted), 9 - aggregator.parts());
    auto group = co_await aggregator.Next();
    EXPECT_TRUE(group.has_value() && !group->complete);
    co_return absl::OkStatus();
  });
}

TEST(OptionsTest, EveryNumberOfAnAggregator) {
  AtExtremes<AggregatorOptions>(
      [](AggregatorOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, groups, parts, age);
      },
      UseAggregator);
  constexpr size_t kMost = AggregatorOptions::kMost;
  EXPECT_TRUE(UseAggregator({.groups = kMost, .parts = kMost}).ok());
  EXPECT_FALSE(UseAggregator({.groups = kMost + 1}).ok());
  EXPECT_FALSE(UseAggregator({.parts = kMost + 1}).ok());
}

absl::Status UseBatcher(const BatcherOptions& options) {
  constexpr size_t kItems = 200;
  SimBus sim;
  const Ref<Lab> lab = sim.Spawn<Lab>({});
  Batcher<int> batcher(options);
  return RunIn(sim, lab, [&](Lab&) -> Task<absl::Status> {
    Results results;
    for (size_t i = 0; i < kItems; ++i) {
      results.push_back(batcher.Add(static_cast<int>(i), /*bytes=*/1));
    }
    absl::Status invalid = InvalidIn(results);
    if (!invalid.ok()) co_return invalid;
    const size_t waiting =
        Least(options.waiting, Least(options.waiting_bytes, kItems));
    EXPECT_EQ(batcher.size(), waiting);
    EXPECT_EQ(Count(results, Code::kResourceExhausted), kItems - waiting);
    std::vector<int> batch = co_await batcher.Next();
    EXPECT_EQ(batch.size(),
              Least(options.items, Least(options.bytes, waiting)));
    co_return absl::OkStatus();
  });
}

TEST(OptionsTest, EveryNumberOfABatcher) {
  AtExtremes<BatcherOptions>(
      [](BatcherOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, items, bytes, age, waiting, waiting_bytes);
      },
      UseBatcher);
  constexpr size_t kMost = BatcherOptions::kMost;
  EXPECT_TRUE(UseBatcher({.items = kMost,
                          .bytes = kMost,
                          .waiting = kMost,
                          .waiting_bytes = kMost})
                  .ok());
  EXPECT_FALSE(UseBatcher({.items = kMost + 1}).ok());
  EXPECT_FALSE(UseBatcher({.bytes = kMost + 1}).ok());
  EXPECT_FALSE(UseBatcher({.waiting = kMost + 1}).ok());
  EXPECT_FALSE(UseBatcher({.waiting_bytes = kMost + 1}).ok());
}

// --- Sagas ------------------------------------------------------------------

// Begins three sagas of three steps each, and leaves them to be undone.
absl::Status UseSagas(const SagaOptions& options) {
  SimBus sim;
  const Ref<Lab> lab = sim.Spawn<Lab>({});
  std::optional<Sagas> sagas;
  uint64_t undone = 0;
  const absl::Status used =
      RunIn(sim, lab, [&](Lab& lab) -> Task<absl::Status> {
        sagas.emplace(
            [&lab](Task<absl::Status> t) { lab.RunInBackground(std::move(t)); },
            options);
        std::vector<Saga> begun;
        for (int i = 0; i < 3; ++i) {
          absl::StatusOr<Saga> saga = sagas->Begin(absl::StrCat(i));
          if (absl::IsInvalidArgument(saga.status())) co_return saga.status();
          EXPECT_EQ(saga.status().code(), Least(options.sagas, 3) > begun.size()
                                              ? Code::kOk
                                              : Code::kResourceExhausted);
          if (saga.ok()) begun.push_back(*std::move(saga));
        }
        const auto step = [&] { return lab.Failing(0, absl::OkStatus()); };
        const auto undo = [&] {
          ++undone;
          return lab.Failing(0, absl::OkStatus());
        };
        for (Saga& saga : begun) {
          for (size_t i = 0; i < 3; ++i) {
            absl::Status held = co_await saga.Step(absl::StrCat(i), step, undo);
            EXPECT_EQ(held.code(),
                      i < options.steps ? Code::kOk : Code::kResourceExhausted);
          }
        }
        co_return absl::OkStatus();
      });
  if (!used.ok()) return used;
  sim.RunFor(absl::Hours(1));
  EXPECT_EQ(undone, Least(options.sagas, 3) * Least(options.steps, 3));
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfSagas) {
  AtExtremes<SagaOptions>(
      [](SagaOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, sagas, steps, undo, ended);
        VisitRetry(undo, visit);
      },
      UseSagas);
  constexpr size_t kMost = SagaOptions::kMost;
  EXPECT_TRUE(UseSagas({.sagas = kMost, .steps = kMost}).ok());
  EXPECT_FALSE(UseSagas({.sagas = kMost + 1}).ok());
  EXPECT_FALSE(UseSagas({.steps = kMost + 1}).ok());
}

// --- Streams of replies -----------------------------------------------------

struct GetRows {
  ReplyStreamKey stream;
};
class Table : public Actor {
 public:
  static constexpr int kRows = 200;
  static constexpr bool kInterleaved = true;
  explicit Table(const ReplyStreamsOptions& options) : streams_(options) {}

  Task<absl::Status> On(GetRows m) {
    ReplyStreamWriter<int> out(streams_, m.stream);
    for (int i = 0; i < kRows; ++i) {
      absl::Status sent = co_await out.Yield(i);
      if (!sent.ok()) co_return sent;
    }
    co_return co_await out.End();
  }
  auto On(ReplyStreamPull<int> m) { return streams_.Pull(std::move(m)); }

 private:
  ReplyStreams<int> streams_;
};

// Begins `readers` streams together, and reads all rows of each.
Results ReadRows(size_t readers, const ReplyStreamOptions& reading,
                 const ReplyStreamsOptions& yielding) {
  SimBus sim;
  const auto table = sim.Spawn<Table>({}, yielding);
  const Ref<Lab> lab = sim.Spawn<Lab>({});
  std::vector<Outcome> outcomes;
  for (size_t i = 0; i < readers; ++i) {
    outcomes.push_back(Begin(lab, [&](Lab&) -> Task<absl::Status> {
      ReplyStreamKey key;
      ReplyStreamReader<int> rows(table, key, GetRows{key}, reading);
      for (int expected = 0;; ++expected) {
        absl::StatusOr<std::optional<int>> row = co_await rows.Next();
        if (!row.ok()) co_return row.status();
        if (!row->has_value()) {
          EXPECT_EQ(expected, Table::kRows);
          co_return absl::OkStatus();
        }
        EXPECT_EQ(**row, expected);
      }
    }));
  }
  sim.RunFor(absl::Hours(1));
  Results results;
  for (const Outcome& outcome : outcomes) results.push_back(outcome->value());
  return results;
}

TEST(OptionsTest, EveryNumberOfAReaderOfAStream) {
  AtExtremes<ReplyStreamOptions>(
      [](ReplyStreamOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, credit, timeout);
      },
      [](const ReplyStreamOptions& options) {
        return ReadRows(1, options, {}).front();
      });
}

TEST(OptionsTest, EveryNumberOfTheWriterOfStreams) {
  AtExtremes<ReplyStreamsOptions>(
      [](ReplyStreamsOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, streams, patience);
      },
      [](const ReplyStreamsOptions& options) {
        const Results results = ReadRows(3, {}, options);
        EXPECT_EQ(Count(results, Code::kOk), Least(options.streams, 3));
        EXPECT_EQ(Count(results, Code::kResourceExhausted),
                  3 - Least(options.streams, 3));
        return absl::OkStatus();
      });
}

}  // namespace
}  // namespace trolley::testing
