// SPDX-License-Identifier: Apache-2.0
//
// Bulkhead: how many run, how many wait, in which order, and that no slot is
// lost.

#include "trolley/actors/patterns/bulkhead.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/patterns/within.h"
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

class BulkheadTest : public ::testing::Test {
 protected:
  // It outlives the bus, and so the calls of it that have not ended.
  Bulkhead& Make(BulkheadOptions options) {
    return *made_.emplace_back(std::make_unique<Bulkhead>(options));
  }

  // Begins a call that runs for `ms`; it notes `number` when it begins.
  Outcome BeginCall(Bulkhead& bulkhead, int number, int ms,
                    absl::Duration limit = absl::InfiniteDuration()) {
    return Begin(
        lab_,
        [this, &bulkhead, number, ms](Lab& lab) -> Task<absl::Status> {
          const auto work = [&] {
            begun_.push_back(number);
            return lab.Failing(ms, absl::OkStatus());
          };
          co_return co_await bulkhead.Run(work);
        },
        limit);
  }

  std::vector<std::unique_ptr<Bulkhead>> made_;
  SimBus sim_;
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({});
  std::vector<int> begun_;
};

using Numbers = std::vector<int>;

TEST_F(BulkheadTest, SoManyRunAndTheRestWaitInOrder) {
  Bulkhead& bulkhead = Make({.at_once = 2, .waiting = 10});
  for (int i = 0; i < 6; ++i) BeginCall(bulkhead, i, 10);
  sim_.RunUntilIdle();
  EXPECT_EQ(begun_, (Numbers{0, 1}));
  EXPECT_EQ(bulkhead.running(), 2u);
  EXPECT_EQ(bulkhead.waiting(), 4u);
  sim_.RunFor(absl::Milliseconds(10));
  EXPECT_EQ(begun_, (Numbers{0, 1, 2, 3}));
  sim_.RunFor(absl::Milliseconds(20));
  EXPECT_EQ(begun_, (Numbers{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(bulkhead.running(), 0u);
  EXPECT_EQ(bulkhead.stats().finished, 6u);
}

TEST_F(BulkheadTest, TheNextOneIsRefused) {
  Bulkhead& bulkhead = Make({.at_once = 1, .waiting = 1});
  BeginCall(bulkhead, 0, 10);
  BeginCall(bulkhead, 1, 10);
  const Outcome refused = BeginCall(bulkhead, 2, 10);
  sim_.RunUntilIdle();
  EXPECT_EQ(**refused, absl::ResourceExhaustedError(
                           "the bulkhead runs BulkheadOptions::at_once = 1 "
                           "calls, and BulkheadOptions::waiting = 1 wait for a "
                           "slot"));
  sim_.RunFor(absl::Milliseconds(20));
  EXPECT_EQ(begun_, (Numbers{0, 1}));
  EXPECT_EQ(bulkhead.stats().refused, 1u);
}

TEST_F(BulkheadTest, WithoutALineTheNextIsRefusedAtOnce) {
  Bulkhead& bulkhead = Make({.at_once = 1, .waiting = 0});
  BeginCall(bulkhead, 0, 10);
  const Outcome refused = BeginCall(bulkhead, 1, 10);
  sim_.RunUntilIdle();
  EXPECT_EQ((*refused)->code(), absl::StatusCode::kResourceExhausted);
  sim_.RunFor(absl::Milliseconds(10));
  const Outcome ok = BeginCall(bulkhead, 2, 0);
  sim_.RunUntilIdle();
  EXPECT_EQ(**ok, absl::OkStatus());
}

TEST_F(BulkheadTest, ALateComerDoesNotPassTheLine) {
  Bulkhead& bulkhead = Make({.at_once = 1, .waiting = 10});
  BeginCall(bulkhead, 0, 10);
  BeginCall(bulkhead, 1, 10);
  // It comes at the moment at which the slot changes hands.
  sim_.world().At(sim_.Now() + absl::Milliseconds(10),
                  [&] { BeginCall(bulkhead, 2, 10); });
  sim_.RunFor(absl::Milliseconds(100));
  EXPECT_EQ(begun_, (Numbers{0, 1, 2}));
}

TEST_F(BulkheadTest, P23_AWaitHasALimit) {
  Bulkhead& bulkhead = Make(
      {.at_once = 1, .waiting = 10, .longest_wait = absl::Milliseconds(5)});
  BeginCall(bulkhead, 0, 10);
  const Outcome late = BeginCall(bulkhead, 1, 10);
  sim_.RunFor(absl::Milliseconds(5));
  EXPECT_EQ(**late, absl::ResourceExhaustedError(
                        "the bulkhead had no slot for "
                        "BulkheadOptions::longest_wait = 5ms"));
  EXPECT_EQ(bulkhead.waiting(), 0u);
  EXPECT_EQ(bulkhead.stats().timed_out, 1u);
  sim_.RunFor(absl::Milliseconds(10));
  EXPECT_EQ(bulkhead.running(), 0u);
}

TEST_F(BulkheadTest, P23_ACancelledCallGivesItsSlotToTheNext) {
  Bulkhead& bulkhead = Make({.at_once = 1, .waiting = 10});
  BeginCall(bulkhead, 0, 1'000'000, absl::Milliseconds(30));
  const Outcome next = BeginCall(bulkhead, 1, 1);
  sim_.RunFor(absl::Milliseconds(60));
  EXPECT_EQ(**next, absl::OkStatus());
  EXPECT_EQ(bulkhead.running(), 0u);
  EXPECT_EQ(bulkhead.stats().cancelled, 1u);
}

TEST_F(BulkheadTest, P23_ACancelledWaiterLeavesTheLine) {
  Bulkhead& bulkhead = Make({.at_once = 1, .waiting = 2});
  BeginCall(bulkhead, 0, 100);
  BeginCall(bulkhead, 1, 1, absl::Milliseconds(20));
  BeginCall(bulkhead, 2, 1);
  sim_.RunFor(absl::Milliseconds(50));
  EXPECT_EQ(bulkhead.waiting(), 1u);
  sim_.RunFor(absl::Milliseconds(60));
  EXPECT_EQ(begun_, (Numbers{0, 2}));
  EXPECT_EQ(bulkhead.running(), 0u);
}

// The first waiter is given the slot, and destroyed before it goes on.
TEST_F(BulkheadTest, P23_ASlotThatWasGivenToACancelledWaiterIsPassedOn) {
  Bulkhead& bulkhead = Make({.at_once = 1, .waiting = 10});
  EXPECT_EQ(RunIn(
                sim_, lab_,
                [&](Lab& lab) -> Task<absl::Status> {
                  const auto hold = [&] { return lab.Failing(5, {}); };
                  const auto quick = [&] { return lab.Failing(0, {}); };
                  auto holder =
                      std::make_unique<Task<absl::Status>>(bulkhead.Run(hold));
                  lab.RunInBackground([&]() -> Task<absl::Status> {
                    co_return co_await std::move(*holder);
                  });
                  // In one turn: the slot is given to the waiter, and the
                  // limit of the waiter destroys it.
                  lab.RunInBackground([&]() -> Task<absl::Status> {
                    (void)co_await Within(absl::Milliseconds(5),
                                          bulkhead.Run(quick));
                    co_return absl::OkStatus();
                  });
                  co_return co_await bulkhead.Run(quick);
                },
                absl::Seconds(1)),
            absl::OkStatus());
  EXPECT_EQ(bulkhead.running(), 0u);
  EXPECT_EQ(bulkhead.waiting(), 0u);
}

TEST_F(BulkheadTest, P23_WorkThatThrowsGivesItsSlotBack) {
  Bulkhead& bulkhead = Make({.at_once = 1});
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab&) -> Task<absl::Status> {
                    const auto bad = [&]() -> Task<absl::Status> {
                      throw std::runtime_error("bad");
                      co_return absl::OkStatus();
                    };
                    try {
                      (void)co_await bulkhead.Run(bad);
                    } catch (const std::runtime_error&) {
                    }
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  EXPECT_EQ(bulkhead.running(), 0u);
  EXPECT_EQ(bulkhead.stats().cancelled, 1u);
}

TEST_F(BulkheadTest, OptionsOutOfRangeAreNamed) {
  Bulkhead& none = Make({.at_once = 0});
  const Outcome outcome = BeginCall(none, 0, 0);
  sim_.RunUntilIdle();
  EXPECT_EQ(**outcome,
            absl::InvalidArgumentError(
                "BulkheadOptions::at_once is 0; it is 1 to 1048576"));
  EXPECT_EQ(ValidateBulkheadOptions({.waiting = (1u << 20) + 1}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(begun_.empty());
}

// --- Seeds -----------------------------------------------------------------

class Slotted : public StormCaller {
 public:
  using StormCaller::StormCaller;
  static constexpr size_t kCancelled = 0, kFinished = 1;

 private:
  Task<absl::Status> Call(Go) override {
    const auto work = [this]() -> Task<absl::StatusOr<int>> {
      Counted counted(running_);
      EXPECT_LE(running_, 3);
      EXPECT_LE(static_cast<size_t>(running_), bulkhead_.running());
      co_return co_await world().AnyPartner().Ask(world().NextWork(1),
                                                  absl::Milliseconds(15));
    };
    const absl::StatusOr<int> result = co_await bulkhead_.Run(work);
    co_return result.status();
  }
  void CheckAtRest() override {
    EXPECT_EQ(bulkhead_.running(), 0u);
    EXPECT_EQ(bulkhead_.waiting(), 0u);
    const BulkheadStats& s = bulkhead_.stats();
    EXPECT_EQ(s.calls, s.refused + s.timed_out + s.finished + s.cancelled);
    world().counts[kCancelled] += static_cast<int64_t>(s.cancelled);
    world().counts[kFinished] += static_cast<int64_t>(s.finished);
  }

  int running_ = 0;
  Bulkhead bulkhead_{
      {.at_once = 3, .waiting = 5, .longest_wait = absl::Milliseconds(25)}};
};

TEST(BulkheadSeeds, P23_NoSlotIsLost) {
  int64_t cancelled = 0, finished = 0;
  const uint64_t seeds = ForEachSeed(300, [&](uint64_t seed) {
    RunStorm<Slotted>(seed, [&](StormWorld& world, bool) {
      cancelled += world.counts[Slotted::kCancelled];
      finished += world.counts[Slotted::kFinished];
    });
  });
  if (seeds < 300) return;  // one seed is run again
  EXPECT_GT(cancelled, 1000);
  EXPECT_GT(finished, 1000);
}

}  // namespace
}  // namespace trolley::testing
