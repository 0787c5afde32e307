// SPDX-License-Identifier: Apache-2.0
//
// Aggregator: when a group closes, what it has, and that each part is given
// once.

#include "trolley/actors/patterns/aggregator.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

using Offers = Aggregator<std::string, int>;
using Lines = std::vector<std::string>;

class AggregatorTest : public ::testing::Test {
 protected:
  // It outlives the bus, and so the calls of it that have not ended.
  Offers& Make(AggregatorOptions options) {
    return *made_.emplace_back(std::make_unique<Offers>(options));
  }

  // A coroutine that takes groups: "a=1,2" or "a=1 of 2".
  void Take(Offers& offers) {
    Begin(lab_, [this, &offers](Lab&) -> Task<absl::Status> {
      for (;;) {
        const std::optional<Offers::Group> group = co_await offers.Next();
        if (!group.has_value()) break;
        std::string line = absl::StrCat(group->key, "=");
        for (const int part : group->parts) absl::StrAppend(&line, part, ",");
        line.pop_back();
        if (!group->complete) absl::StrAppend(&line, " of ", group->needed);
        lines_.push_back(line);
      }
      ended_ = true;
      co_return absl::OkStatus();
    });
    sim_.RunUntilIdle();
  }
  absl::Status Add(Offers& offers, const std::string& key, int part,
                   size_t needed) {
    const absl::Status status =
        RunIn(sim_, lab_, [&](Lab&) -> Task<absl::Status> {
          co_return offers.Add(key, part, needed);
        });
    sim_.RunUntilIdle();
    return status;
  }

  std::vector<std::unique_ptr<Offers>> made_;
  SimBus sim_;
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({});
  Lines lines_;
  bool ended_ = false;
};

TEST_F(AggregatorTest, AGroupClosesWithItsLastPart) {
  Offers& offers = Make({});
  Take(offers);
  EXPECT_EQ(Add(offers, "a", 1, 2), absl::OkStatus());
  EXPECT_EQ(Add(offers, "b", 2, 3), absl::OkStatus());
  EXPECT_TRUE(lines_.empty());
  EXPECT_EQ(Add(offers, "a", 3, 2), absl::OkStatus());
  EXPECT_EQ(lines_, (Lines{"a=1,3"}));
  EXPECT_EQ(offers.groups(), 1u);
  EXPECT_EQ(offers.parts(), 1u);
  // A part that comes later opens a new group.
  EXPECT_EQ(Add(offers, "a", 4, 1), absl::OkStatus());
  EXPECT_EQ(lines_, (Lines{"a=1,3", "a=4"}));
  EXPECT_EQ(offers.stats().complete, 2u);
}

TEST_F(AggregatorTest, AGroupClosesAtItsAge) {
  Offers& offers = Make({.age = absl::Seconds(10)});
  Take(offers);
  (void)Add(offers, "a", 1, 2);
  sim_.RunFor(absl::Seconds(4));
  (void)Add(offers, "b", 2, 2);
  sim_.RunFor(absl::Seconds(6) - absl::Nanoseconds(1));
  EXPECT_TRUE(lines_.empty());
  sim_.RunFor(absl::Nanoseconds(1));
  EXPECT_EQ(lines_, (Lines{"a=1 of 2"}));
  (void)Add(offers, "b", 3, 2);
  EXPECT_EQ(lines_, (Lines{"a=1 of 2", "b=2,3"}));
  EXPECT_EQ(offers.stats().incomplete, 1u);
}

// Without a taker, too: a late part does not join a group that is too old.
TEST_F(AggregatorTest, AnOldGroupTakesNoMoreParts) {
  Offers& offers = Make({.age = absl::Seconds(1)});
  (void)Add(offers, "a", 1, 2);
  sim_.RunFor(absl::Seconds(1));
  (void)Add(offers, "a", 2, 2);
  EXPECT_EQ(offers.groups(), 2u);
  Take(offers);
  sim_.RunFor(absl::Seconds(2));
  EXPECT_EQ(lines_, (Lines{"a=1 of 2", "a=2 of 2"}));
}

TEST_F(AggregatorTest, LimitsCountOpenAndClosedGroups) {
  Offers& offers = Make({.groups = 2, .parts = 3});
  EXPECT_EQ(Add(offers, "a", 1, 1), absl::OkStatus());
  EXPECT_EQ(Add(offers, "b", 2, 5), absl::OkStatus());
  EXPECT_EQ(Add(offers, "c", 3, 1),
            absl::ResourceExhaustedError(
                "AggregatorOptions::groups = 2 groups are not taken"));
  EXPECT_EQ(Add(offers, "b", 3, 5), absl::OkStatus());
  EXPECT_EQ(Add(offers, "b", 4, 5),
            absl::ResourceExhaustedError(
                "AggregatorOptions::parts = 3 parts of groups are not taken"));
  Take(offers);
  EXPECT_EQ(Add(offers, "c", 3, 1), absl::OkStatus());
  EXPECT_EQ(lines_, (Lines{"a=1", "c=3"}));
  EXPECT_EQ(offers.stats().refused, 2u);
}

TEST_F(AggregatorTest, PartsOfAGroupAgreeOnWhatItNeeds) {
  Offers& offers = Make({});
  EXPECT_EQ(Add(offers, "a", 1, 0),
            absl::InvalidArgumentError(
                "a group that needs 0 parts; it is at least 1"));
  (void)Add(offers, "a", 1, 2);
  EXPECT_EQ(Add(offers, "a", 1, 3),
            absl::InvalidArgumentError("a part of a group that needs 3 parts; "
                                       "its first part said 2"));
  EXPECT_EQ(offers.parts(), 1u);
}

TEST_F(AggregatorTest, P23_CloseGivesTheRestAndThenNothing) {
  Offers& offers = Make({});
  (void)Add(offers, "a", 1, 2);
  (void)Add(offers, "b", 2, 1);
  Take(offers);
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab&) -> Task<absl::Status> {
                    offers.Close();
                    co_return offers.Add("c", 1, 1);
                  })
                .code(),
            absl::StatusCode::kFailedPrecondition);
  sim_.RunUntilIdle();
  EXPECT_EQ(lines_, (Lines{"b=2", "a=1 of 2"}));
  EXPECT_TRUE(ended_);
}

TEST_F(AggregatorTest, OptionsOutOfRangeAreNamed) {
  Offers& none = Make({.groups = 0});
  EXPECT_EQ(Add(none, "a", 1, 1),
            absl::InvalidArgumentError(
                "AggregatorOptions::groups is 0; it is 1 to 1099511627776"));
  EXPECT_EQ(ValidateAggregatorOptions({.parts = 0}).code(),
            absl::StatusCode::kInvalidArgument);
}

// --- Seeds -----------------------------------------------------------------

class Desk : public StormCaller {
 public:
  using StormCaller::StormCaller;
  static constexpr size_t kComplete = 0, kIncomplete = 1;
  void OnStart() {
    RunInBackground([this]() -> Task<absl::Status> {
      for (;;) Out(co_await groups_.Next());
    });
  }

 private:
  using Groups = Aggregator<int, uint64_t>;

  Task<absl::Status> Call(Go m) override {
    if (world().OneIn(4)) {
      Out(co_await groups_.Next());
      co_return absl::OkStatus();
    }
    const absl::Status added =
        groups_.Add(static_cast<int>(world().Below(4)), m.number, 3);
    if (added.ok()) in_[m.number] = true;
    co_return added;
  }
  void Out(const std::optional<Groups::Group>& group) {
    if (!group.has_value()) return;
    EXPECT_EQ(group->complete, group->parts.size() == 3);
    EXPECT_GE(group->parts.size(), 1u);
    for (const uint64_t part : group->parts) EXPECT_EQ(in_.erase(part), 1u);
  }
  void CheckAtRest() override {
    for (const auto& group : groups_.TakeAll()) Out(group);
    EXPECT_TRUE(in_.empty()) << "a part was lost";
    EXPECT_EQ(groups_.parts(), 0u);
    const AggregatorStats& s = groups_.stats();
    EXPECT_EQ(s.groups, s.complete + s.incomplete);
    world().counts[kComplete] += static_cast<int64_t>(s.complete);
    world().counts[kIncomplete] += static_cast<int64_t>(s.incomplete);
  }

  Groups groups_{{.groups = 6, .age = absl::Milliseconds(6)}};
  std::map<uint64_t, bool> in_;
};

TEST(AggregatorSeeds, P23_EachPartIsGivenOnce) {
  int64_t complete = 0, incomplete = 0;
  const uint64_t seeds = ForEachSeed(300, [&](uint64_t seed) {
    RunStorm<Desk>(seed, [&](StormWorld& world, bool) {
      complete += world.counts[Desk::kComplete];
      incomplete += world.counts[Desk::kIncomplete];
    });
  });
  if (seeds < 300) return;  // one seed is run again
  EXPECT_GT(complete, 300);
  EXPECT_GT(incomplete, 300);
}

}  // namespace
}  // namespace trolley::testing
