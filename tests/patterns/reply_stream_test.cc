// SPDX-License-Identifier: Apache-2.0
//
// ReplyStream: all items in order, no more than the credit, and how each side
// learns of the end of the other.

#include "trolley/actors/patterns/reply_stream.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
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

struct GetRows {
  ReplyStreamKey stream;
  int count = 0;
  int ms = 0;           // before each row
  int fail_at = -1;     // returns an error there
  int throw_at = -1;    // throws there
  bool no_end = false;  // returns OK without End()
};
struct CountStreams {};

// What the handlers of a Table do; it outlives the actor.
struct TableLog {
  int yielded = 0;
  int handlers = 0;
  std::vector<absl::Status> ends;  // of handlers that returned
};

class Table : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Table(TableLog* log, ReplyStreamsOptions options = {})
      : log_(*log), streams_(options) {}

  Task<absl::Status> On(GetRows m) {
    Counted counted(log_.handlers);
    absl::Status end = co_await Yield(m);
    log_.ends.push_back(end);
    co_return end;
  }
  auto On(ReplyStreamPull<int> m) { return streams_.Pull(std::move(m)); }
  size_t On(const CountStreams&) { return streams_.size(); }
  void OnStop() { EXPECT_EQ(streams_.size(), 0u); }

 private:
  Task<absl::Status> Yield(const GetRows& m) {
    ReplyStreamWriter<int> out(streams_, m.stream);
    for (int i = 0; i < m.count; ++i) {
      if (m.ms > 0) co_await Sleep(absl::Milliseconds(m.ms));
      if (i == m.fail_at) co_return absl::DataLossError("as told");
      if (i == m.throw_at) throw std::runtime_error("as told");
      absl::Status sent = co_await out.Yield(i);
      if (!sent.ok()) co_return sent;
      ++log_.yielded;
    }
    if (m.no_end) co_return absl::OkStatus();
    co_return co_await out.End();
  }

  TableLog& log_;
  ReplyStreams<int> streams_;
};

class ReplyStreamTest : public ::testing::Test {
 protected:
  void Spawn(ReplyStreamsOptions options = {}, uint32_t mailbox = 1024) {
    table_ = sim_.Spawn<Table>({.name = "table", .mailbox_capacity = mailbox},
                               &log_, options);
  }
  // Reads all, with a pause before each.
  Experiment Reading(GetRows request, ReplyStreamOptions options, int ms = 0) {
    return [this, request, options, ms](Lab& lab) -> Task<absl::Status> {
      ReplyStreamReader<int> rows(table_, request.stream, request, options);
      for (;;) {
        if (ms > 0) co_await lab.Sleep(absl::Milliseconds(ms));
        absl::StatusOr<std::optional<int>> row = co_await rows.Next();
        if (!row.ok()) {
          const auto again = co_await rows.Next();
          EXPECT_EQ(again.status(), row.status());
          co_return row.status();
        }
        if (!row->has_value()) {
          const auto again = co_await rows.Next();
          EXPECT_TRUE(again.ok() && !again->has_value());
          co_return absl::OkStatus();
        }
        EXPECT_EQ(**row, static_cast<int>(got_++));
        most_ahead_ = std::max<int>(most_ahead_, log_.yielded - got_);
      }
    };
  }
  absl::Status Read(GetRows request, ReplyStreamOptions options = {},
                    int ms = 0) {
    return RunIn(sim_, lab_, Reading(std::move(request), options, ms));
  }
  size_t Streams() {
    return *sim_.Ask(table_, CountStreams{}, absl::Seconds(1));
  }

  TableLog log_;
  SimBus sim_{{.loops = 2}};
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({.loop = 1});
  Ref<Table> table_;
  int got_ = 0;
  int most_ahead_ = 0;
};

TEST_F(ReplyStreamTest, AllItemsComeInOrder) {
  Spawn();
  EXPECT_EQ(Read({.count = 1000}), absl::OkStatus());
  EXPECT_EQ(got_, 1000);
  EXPECT_EQ(log_.ends, (std::vector<absl::Status>{absl::OkStatus()}));
  EXPECT_EQ(Streams(), 0u);
}

TEST_F(ReplyStreamTest, AStreamMayBeEmpty) {
  Spawn();
  EXPECT_EQ(Read({.count = 0}), absl::OkStatus());
  EXPECT_EQ(got_, 0);
}

TEST_F(ReplyStreamTest, ASlowReaderSlowsTheHandler) {
  Spawn();
  EXPECT_EQ(Read({.count = 200}, {.credit = 5}, /*ms=*/1), absl::OkStatus());
  EXPECT_EQ(got_, 200);
  // 5 that the reader has fetched, and 5 that the handler has ready.
  EXPECT_LE(most_ahead_, 9);
  EXPECT_GE(most_ahead_, 5);
}

TEST_F(ReplyStreamTest, ACreditOfOneIsEnough) {
  Spawn();
  EXPECT_EQ(Read({.count = 50}, {.credit = 1}), absl::OkStatus());
  EXPECT_EQ(got_, 50);
  EXPECT_LE(most_ahead_, 1);
}

TEST_F(ReplyStreamTest, ASlowHandlerIsWaitedFor) {
  Spawn();
  const Instant start = sim_.Now();
  EXPECT_EQ(Read({.count = 10, .ms = 5}), absl::OkStatus());
  EXPECT_EQ(sim_.Now() - start, absl::Milliseconds(50));
}

TEST_F(ReplyStreamTest, AnErrorOfTheHandlerComesOnceAllThatWasFetchedIsRead) {
  Spawn();
  EXPECT_EQ(Read({.count = 100, .ms = 1, .fail_at = 20}),
            absl::DataLossError("as told"));
  EXPECT_EQ(got_, 20);
  EXPECT_EQ(Streams(), 0u);
}

TEST_F(ReplyStreamTest, AnErrorAtTheBeginningComesToo) {
  Spawn();
  EXPECT_EQ(Read({.count = 100, .fail_at = 0}), absl::DataLossError("as told"));
}

TEST_F(ReplyStreamTest, AReturnWithoutEndIsNoEnd) {
  Spawn();
  EXPECT_EQ(Read({.count = 10, .no_end = true}),
            absl::DataLossError(
                "the handler of the request has returned OK without End()"));
}

TEST_F(ReplyStreamTest, P23_AnActorThatThrowsEndsTheStream) {
  Spawn();
  const absl::Status status = Read({.count = 100, .ms = 1, .throw_at = 20});
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(absl::StrContains(status.message(), "as told")) << status;
  EXPECT_EQ(got_, 20);
}

TEST_F(ReplyStreamTest, P23_AnActorThatStopsEndsTheStream) {
  Spawn();
  const Outcome outcome =
      Begin(lab_, Reading({.count = 1000, .ms = 5}, {.credit = 4}));
  sim_.RunFor(absl::Milliseconds(100));
  table_.Stop();
  sim_.RunFor(absl::Milliseconds(1));
  EXPECT_EQ((*outcome)->code(), absl::StatusCode::kNotFound) << **outcome;
}

TEST_F(ReplyStreamTest, P23_AReaderThatIsDestroyedCancelsTheHandler) {
  Spawn();
  Begin(lab_, Reading({.count = 1000, .ms = 5}, {.credit = 4}),
        absl::Milliseconds(52));
  sim_.RunFor(absl::Milliseconds(40));
  EXPECT_EQ(log_.handlers, 1);
  sim_.RunFor(absl::Milliseconds(60));
  EXPECT_EQ(log_.handlers, 0);
  EXPECT_TRUE(log_.ends.empty());
  EXPECT_EQ(Streams(), 0u);
}

TEST_F(ReplyStreamTest, P23_AReaderThatGoesAwayEarlyCancelsTheHandler) {
  Spawn();
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab&) -> Task<absl::Status> {
                    ReplyStreamKey key;
                    ReplyStreamReader<int> rows(
                        table_, key, GetRows{.stream = key, .count = 100});
                    for (int i = 0; i < 3; ++i) {
                      EXPECT_EQ(**co_await rows.Next(), i);
                    }
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  sim_.RunFor(absl::Milliseconds(20));
  EXPECT_EQ(log_.handlers, 0);
  EXPECT_EQ(Streams(), 0u);
}

TEST_F(ReplyStreamTest, P23_AReaderThatDoesNotReadOnIsGivenUp) {
  Spawn({.patience = absl::Seconds(10)});
  const Outcome outcome = Begin(
      lab_, Reading({.count = 100}, {.credit = 2, .timeout = absl::Hours(1)},
                    /*ms=*/11'000));
  sim_.RunFor(absl::Seconds(30));
  ASSERT_EQ(log_.ends.size(), 1u);
  EXPECT_EQ(log_.ends[0],
            absl::DeadlineExceededError(
                "the reader of the stream has fetched nothing for "
                "ReplyStreamsOptions::patience = 10s"));
  sim_.RunFor(absl::Minutes(1));
  EXPECT_EQ(**outcome, log_.ends[0]);
}

TEST_F(ReplyStreamTest, ATimeoutIsThatOfTheWholeStream) {
  Spawn();
  const Instant start = sim_.Now();
  EXPECT_EQ(
      Read({.count = 1000, .ms = 10}, {.timeout = absl::Seconds(1)}).code(),
      absl::StatusCode::kDeadlineExceeded);
  EXPECT_LE(sim_.Now() - start, absl::Seconds(2));
  sim_.RunFor(absl::Milliseconds(20));
  EXPECT_EQ(log_.handlers, 0);
}

TEST_F(ReplyStreamTest, ARequestThatIsRefusedIsTheError) {
  Spawn({}, /*mailbox=*/1);
  table_.Tell(CountStreams{});
  EXPECT_EQ(Read({.count = 10}).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab&) -> Task<absl::Status> {
                    ReplyStreamKey key;
                    ReplyStreamReader<int> rows(Ref<Table>(), key,
                                                GetRows{.stream = key});
                    const auto row = co_await rows.Next();
                    co_return row.status();
                  })
                .code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ReplyStreamTest, StreamsAreLimitedAndDoNotMix) {
  Spawn({.streams = 2});
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 3; ++i) {
    GetRows request{.count = 20, .ms = 1};
    outcomes.push_back(Begin(lab_, [this, request](Lab&) -> Task<absl::Status> {
      ReplyStreamReader<int> rows(table_, request.stream, request);
      for (int i = 0;; ++i) {
        const auto row = co_await rows.Next();
        if (!row.ok()) co_return row.status();
        if (!row->has_value()) co_return absl::OkStatus();
        EXPECT_EQ(**row, i);
      }
    }));
  }
  sim_.RunFor(absl::Milliseconds(100));
  EXPECT_EQ(**outcomes[0], absl::OkStatus());
  EXPECT_EQ(**outcomes[1], absl::OkStatus());
  EXPECT_EQ(**outcomes[2],
            absl::ResourceExhaustedError(
                "ReplyStreamsOptions::streams = 2 streams are under way"));
}

TEST_F(ReplyStreamTest, AKeyIsForOneRequest) {
  Spawn();
  const ReplyStreamKey key;
  Begin(lab_, Reading({.stream = key, .count = 100, .ms = 5}, {}));
  sim_.RunUntilIdle();
  const Outcome second = Begin(lab_, [&](Lab&) -> Task<absl::Status> {
    auto ask = table_.Ask(GetRows{.stream = key, .count = 1}, absl::Seconds(1));
    co_return co_await ask;
  });
  sim_.RunUntilIdle();
  EXPECT_EQ((*second)->code(), absl::StatusCode::kFailedPrecondition);
}

// A fetch with less credit than the one before leaves items for the next.
TEST_F(ReplyStreamTest, TheEndComesWithTheLastItem) {
  Spawn();
  const ReplyStreamKey key;
  table_.Tell(GetRows{.stream = key, .count = 4});
  const auto pull = [&](uint32_t credit) {
    return *sim_.Ask(table_, ReplyStreamPull<int>{key, credit},
                     absl::Seconds(1));
  };
  EXPECT_EQ(pull(1).items, (std::vector<int>{0}));
  EXPECT_EQ(pull(3).items, (std::vector<int>{1}));
  sim_.RunUntilIdle();
  ReplyStreamBatch<int> batch = pull(1);
  EXPECT_EQ(batch.items, (std::vector<int>{2}));
  EXPECT_FALSE(batch.ended);
  batch = pull(1);
  EXPECT_EQ(batch.items, (std::vector<int>{3}));
  EXPECT_TRUE(batch.ended);
  sim_.RunUntilIdle();
  EXPECT_EQ(log_.ends, (std::vector<absl::Status>{absl::OkStatus()}));
}

TEST_F(ReplyStreamTest, NoCreditIsAnError) {
  Spawn();
  EXPECT_EQ(Read({.count = 10}, {.credit = 0}),
            absl::InvalidArgumentError(
                "ReplyStreamOptions::credit is 0; it is at least 1"));
}

// --- Seeds -----------------------------------------------------------------

TEST(ReplyStreamSeeds, P23_ItemsComeInOrderAndAllOrWithAnError) {
  uint64_t complete = 0, failed = 0;
  const uint64_t seeds = ForEachSeed(500, [&](uint64_t seed) {
    TableLog log;
    SimRandom random(seed);
    std::vector<Outcome> outcomes;
    {
      SimBus sim({.loops = 1 + static_cast<int>(seed % 2), .seed = seed});
      auto lab = sim.Spawn<Lab>({.loop = static_cast<int>(seed % 2)});
      Ref<Table> table = sim.Spawn<Table>({.loop = 0}, &log);
      for (uint64_t steps = 5 + random.Below(20); steps > 0; --steps) {
        for (uint64_t n = random.Below(3); n > 0; --n) {
          GetRows request{.count = static_cast<int>(random.Below(60)),
                          .ms = static_cast<int>(random.Below(2))};
          if (request.count > 0 && random.Below(6) == 0)
            request.fail_at = request.count / 2;
          if (random.Below(40) == 0) request.throw_at = request.count / 2;
          const ReplyStreamOptions options{
              .credit = 1 + static_cast<uint32_t>(random.Below(10))};
          const int slow = static_cast<int>(random.Below(3));
          outcomes.push_back(Begin(
              lab,
              [table, request, options, slow](Lab& lab) -> Task<absl::Status> {
                ReplyStreamReader<int> rows(table, request.stream, request,
                                            options);
                for (int i = 0;; ++i) {
                  const auto row = co_await rows.Next();
                  if (!row.ok()) co_return row.status();
                  if (!row->has_value()) {
                    EXPECT_EQ(i, request.count);
                    EXPECT_EQ(request.fail_at, -1);
                    co_return absl::OkStatus();
                  }
                  EXPECT_EQ(**row, i);
                  if (slow > 1) co_await lab.Sleep(absl::Milliseconds(1));
                }
              },
              random.Below(2) == 0 ? absl::InfiniteDuration()
                                   : absl::Milliseconds(random.Below(60))));
        }
        sim.RunFor(absl::Milliseconds(random.Below(15)));
        if (random.Below(20) == 0) table.Stop(random.Below(2) == 0);
        if (random.Below(10) == 0) table = sim.Spawn<Table>({.loop = 0}, &log);
      }
      if (random.Below(3) != 0) {
        sim.RunFor(absl::Minutes(5));
        EXPECT_EQ(log.handlers, 0);
        for (const Outcome& outcome : outcomes) {
          EXPECT_TRUE(outcome->has_value());
        }
      }
      sim.Finish();
    }
    EXPECT_EQ(log.handlers, 0);
    for (const Outcome& outcome : outcomes) {
      ASSERT_TRUE(outcome->has_value());
      (*outcome)->ok() ? ++complete : ++failed;
    }
  });
  if (seeds < 500) return;  // one seed is run again
  EXPECT_GT(complete, 1000u);
  EXPECT_GT(failed, 1000u);
}

}  // namespace
}  // namespace trolley::testing
