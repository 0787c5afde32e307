// SPDX-License-Identifier: Apache-2.0
//
// SingleFlight: one works and the others share, and no waiter is lost.

#include "trolley/actors/patterns/single_flight.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/patterns/within.h"
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

using Loads = SingleFlight<std::string, absl::StatusOr<int>>;

class SingleFlightTest : public ::testing::Test {
 protected:
  // It outlives the bus, and so the calls of it that have not ended.
  Loads& Make(SingleFlightOptions options) {
    return *made_.emplace_back(std::make_unique<Loads>(options));
  }

  // Begins a call whose work takes `ms` and returns `result`.
  std::shared_ptr<absl::StatusOr<int>> BeginCall(
      Loads& loads, const std::string& key, int ms, absl::StatusOr<int> result,
      absl::Duration limit = absl::InfiniteDuration()) {
    auto got = std::make_shared<absl::StatusOr<int>>(-1);
    Begin(
        lab_,
        [this, &loads, key, ms, result, got](Lab& lab) -> Task<absl::Status> {
          const auto work = [&] {
            ++worked_;
            return lab.Result(ms, result);
          };
          *got = co_await loads.Run(key, work);
          co_return absl::OkStatus();
        },
        limit);
    sim_.RunUntilIdle();
    return got;
  }

  std::vector<std::unique_ptr<Loads>> made_;
  SimBus sim_;
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({});
  int worked_ = 0;
};

TEST_F(SingleFlightTest, OneWorksAndTheOthersShare) {
  Loads& loads = Make({});
  const auto a = BeginCall(loads, "x", 10, 1);
  const auto b = BeginCall(loads, "x", 10, 2);
  const auto other = BeginCall(loads, "y", 10, 3);
  const auto c = BeginCall(loads, "x", 10, 4);
  EXPECT_EQ(loads.keys(), 2u);
  sim_.RunFor(absl::Milliseconds(10));
  EXPECT_EQ(**a, 1);
  EXPECT_EQ(**b, 1);
  EXPECT_EQ(**c, 1);
  EXPECT_EQ(**other, 3);
  EXPECT_EQ(worked_, 2);
  EXPECT_EQ(loads.keys(), 0u);
  EXPECT_EQ(loads.stats().worked, 2u);
  EXPECT_EQ(loads.stats().shared, 2u);
}

TEST_F(SingleFlightTest, ALaterCallWorksAgain) {
  Loads& loads = Make({});
  BeginCall(loads, "x", 10, 1);
  sim_.RunFor(absl::Milliseconds(10));
  const auto later = BeginCall(loads, "x", 0, 2);
  EXPECT_EQ(**later, 2);
  EXPECT_EQ(worked_, 2);
}

TEST_F(SingleFlightTest, AnErrorIsShared) {
  Loads& loads = Make({});
  const auto a = BeginCall(loads, "x", 10, absl::DataLossError("bad"));
  const auto b = BeginCall(loads, "x", 10, 2);
  sim_.RunFor(absl::Milliseconds(10));
  EXPECT_EQ(a->status(), absl::DataLossError("bad"));
  EXPECT_EQ(b->status(), absl::DataLossError("bad"));
}

TEST_F(SingleFlightTest, P23_WhenTheWorkIsCancelledTheOldestWaiterTakesOver) {
  Loads& loads = Make({});
  const auto first =
      BeginCall(loads, "x", 1'000'000, 1, absl::Milliseconds(30));
  const auto second = BeginCall(loads, "x", 10, 2);
  const auto third = BeginCall(loads, "x", 10, 3);
  sim_.RunFor(absl::Milliseconds(100));
  EXPECT_EQ(**first, -1);
  EXPECT_EQ(**second, 2);
  EXPECT_EQ(**third, 2);
  EXPECT_EQ(worked_, 2);
  EXPECT_EQ(loads.stats().taken_over, 1u);
  EXPECT_EQ(loads.stats().cancelled, 1u);
  EXPECT_EQ(loads.keys(), 0u);
}

TEST_F(SingleFlightTest, P23_AWaiterThatIsCancelledLeavesTheOthers) {
  Loads& loads = Make({});
  const auto first = BeginCall(loads, "x", 50, 1);
  BeginCall(loads, "x", 50, 2, absl::Milliseconds(20));
  const auto third = BeginCall(loads, "x", 50, 3);
  sim_.RunFor(absl::Milliseconds(100));
  EXPECT_EQ(**first, 1);
  EXPECT_EQ(**third, 1);
  EXPECT_EQ(loads.stats().cancelled, 1u);
}

TEST_F(SingleFlightTest, P23_TheLastOneThatIsCancelledForgetsTheKey) {
  Loads& loads = Make({});
  BeginCall(loads, "x", 1'000'000, 1, absl::Milliseconds(20));
  sim_.RunFor(absl::Milliseconds(50));
  EXPECT_EQ(loads.keys(), 0u);
  EXPECT_EQ(**BeginCall(loads, "x", 0, 2), 2);
}

// The second is given the work, and destroyed before it goes on.
TEST_F(SingleFlightTest, P23_WorkThatWasGivenToACancelledWaiterIsPassedOn) {
  Loads& loads = Make({});
  const auto begin = [&](absl::Duration limit, int value) {
    auto got = std::make_shared<absl::StatusOr<int>>(-1);
    Begin(lab_,
          [this, &loads, limit, value, got](Lab& lab) -> Task<absl::Status> {
            const auto work = [&] {
              ++worked_;
              return lab.Result(value == 3 ? 0 : 1'000'000, value);
            };
            *got = co_await Within(limit, loads.Run("x", work));
            co_return absl::OkStatus();
          });
    sim_.RunUntilIdle();
    return got;
  };
  begin(absl::Milliseconds(5), 1);
  begin(absl::Milliseconds(5), 2);
  const auto third = begin(absl::Seconds(1), 3);
  sim_.RunFor(absl::Milliseconds(5));
  EXPECT_EQ(**third, 3);
  EXPECT_EQ(worked_, 2) << "the race went the other way";
  EXPECT_EQ(loads.keys(), 0u);
}

TEST_F(SingleFlightTest, P23_WorkThatThrowsIsTakenOver) {
  Loads& loads = Make({});
  Begin(lab_, [&](Lab& lab) -> Task<absl::Status> {
    const auto bad = [&]() -> Task<absl::StatusOr<int>> {
      co_await lab.Sleep(absl::Milliseconds(5));
      throw std::runtime_error("bad");
    };
    try {
      (void)co_await loads.Run("x", bad);
    } catch (const std::runtime_error&) {
    }
    co_return absl::OkStatus();
  });
  sim_.RunUntilIdle();
  const auto second = BeginCall(loads, "x", 1, 2);
  sim_.RunFor(absl::Milliseconds(10));
  EXPECT_EQ(**second, 2);
}

TEST_F(SingleFlightTest, KeysAndWaitersAreLimited) {
  Loads& loads = Make({.keys = 1, .waiting = 1});
  BeginCall(loads, "x", 10, 1);
  const auto key = BeginCall(loads, "y", 10, 1);
  EXPECT_EQ(key->status(),
            absl::ResourceExhaustedError(
                "SingleFlightOptions::keys = 1 keys are worked for"));
  BeginCall(loads, "x", 10, 1);
  const auto waiter = BeginCall(loads, "x", 10, 1);
  EXPECT_EQ(waiter->status(),
            absl::ResourceExhaustedError(
                "SingleFlightOptions::waiting = 1 calls wait for this key"));
  EXPECT_EQ(loads.stats().refused, 2u);
  Loads& none = Make({.keys = 0});
  EXPECT_EQ(BeginCall(none, "x", 0, 1)->status(),
            absl::InvalidArgumentError(
                "SingleFlightOptions::keys is 0; it is 1 to 1099511627776"));
}

// --- Seeds -----------------------------------------------------------------

class Loader : public StormCaller {
 public:
  using StormCaller::StormCaller;
  static constexpr size_t kShared = 0, kTakenOver = 1;

 private:
  Task<absl::Status> Call(Go) override {
    const int key = static_cast<int>(world().Below(3));
    const auto work = [this, key]() -> Task<absl::StatusOr<int>> {
      Counted counted(working_[key]);
      EXPECT_EQ(working_[key], 1) << "two work for one key";
      co_return co_await world().AnyPartner().Ask(world().NextWork(key),
                                                  absl::Milliseconds(300));
    };
    const absl::StatusOr<int> result = co_await loads_.Run(key, work);
    if (result.ok()) {
      EXPECT_EQ(*result, key);
    }
    co_return result.status();
  }
  void CheckAtRest() override {
    EXPECT_EQ(loads_.keys(), 0u);
    const SingleFlightStats& s = loads_.stats();
    EXPECT_EQ(s.calls, s.refused + s.worked + s.shared + s.cancelled);
    world().counts[kShared] += static_cast<int64_t>(s.shared);
    world().counts[kTakenOver] += static_cast<int64_t>(s.taken_over);
  }

  int working_[3] = {};
  SingleFlight<int, absl::StatusOr<int>> loads_{{.keys = 2, .waiting = 6}};
};

TEST(SingleFlightSeeds, P23_NoWaiterIsLost) {
  int64_t shared = 0, taken_over = 0;
  const uint64_t seeds = ForEachSeed(300, [&](uint64_t seed) {
    RunStorm<Loader>(seed, [&](StormWorld& world, bool) {
      shared += world.counts[Loader::kShared];
      taken_over += world.counts[Loader::kTakenOver];
    });
  });
  if (seeds < 300) return;  // one seed is run again
  EXPECT_GT(shared, 1000);
  EXPECT_GT(taken_over, 20);
}

}  // namespace
}  // namespace trolley::testing
