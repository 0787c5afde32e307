// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/internal/shrink.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace trolley::internal {
namespace {

using List = std::vector<uint64_t>;

// Shrinks with a run that fails if `fails` says so and draws what it is given.
struct Search {
  uint64_t calls = 0;
  std::set<std::pair<List, List>> tried;

  template <typename Fails>
  RecordedChoices Run(RecordedChoices from, uint64_t most, Fails fails) {
    return Shrink(
        std::move(from), most,
        [&](const RecordedChoices& candidate)
            -> std::optional<RecordedChoices> {
          ++calls;
          EXPECT_TRUE(tried.emplace(candidate.values, candidate.turns).second)
              << "the same run twice";
          if (!fails(candidate)) return std::nullopt;
          return candidate;
        });
  }
};

TEST(ShrinkTest, FindsTheOneNumberThatMatters) {
  List values(200, 77);
  const RecordedChoices least =
      Search().Run({.values = values}, 10'000, [](const RecordedChoices& run) {
        return std::count_if(run.values.begin(), run.values.end(),
                             [](uint64_t v) { return v >= 13; }) > 0;
      });
  EXPECT_EQ(least.values, List{13});
}

TEST(ShrinkTest, FindsTheLeastLargeNumberInFewRuns) {
  Search search;
  const uint64_t threshold = 123'456'789'012;
  const RecordedChoices least = search.Run(
      {.values = {UINT64_MAX}}, 10'000, [&](const RecordedChoices& run) {
        return !run.values.empty() && run.values[0] >= threshold;
      });
  EXPECT_EQ(least.values, List{threshold});
  EXPECT_LT(search.calls, 200u);
}

TEST(ShrinkTest, KeepsWhatBelongsTogether) {
  // Two numbers, in this order, whatever stands between them.
  List values(100);
  std::iota(values.begin(), values.end(), 0);
  const RecordedChoices least =
      Search().Run({.values = values}, 10'000, [](const RecordedChoices& run) {
        const auto first = std::find_if(run.values.begin(), run.values.end(),
                                        [](uint64_t v) { return v >= 20; });
        return first != run.values.end() &&
               std::find_if(first + 1, run.values.end(), [](uint64_t v) {
                 return v >= 30;
               }) != run.values.end();
      });
  EXPECT_EQ(least.values, (List{20, 30}));
}

TEST(ShrinkTest, LeavesOutWholeElements) {
  // Elements of three numbers; no number of an element can be missing.
  RecordedChoices run;
  for (uint64_t i = 0; i < 30; ++i) {
    run.elements.push_back({i * 3, i * 3 + 3});
    run.values.insert(run.values.end(), {1, i, 5});
  }
  const RecordedChoices least = Shrink(
      run, 10'000,
      [](const RecordedChoices& tried) -> std::optional<RecordedChoices> {
        RecordedChoices drawn = tried;
        drawn.values.resize((tried.values.size() + 2) / 3 * 3);
        drawn.elements.clear();
        bool fails = false;
        for (size_t i = 0; i < drawn.values.size(); i += 3) {
          if (drawn.values[i] != 1 || drawn.values[i + 2] != 5) {
            return std::nullopt;
          }
          fails |= drawn.values[i + 1] == 17;
          drawn.elements.push_back({i, i + 3});
        }
        if (!fails) return std::nullopt;
        return drawn;
      });
  EXPECT_EQ(least.values, (List{1, 17, 5}));
}

TEST(ShrinkTest, AnElementInsideOfAnotherGoesWithIt) {
  const RecordedChoices run = {.values = {9, 1, 2, 3, 4, 9},
                               .elements = {{1, 5}, {2, 4}}};
  // Fails with the first and the last number as neighbours, or as it is.
  const RecordedChoices least =
      Search().Run(run, 10'000, [&](const RecordedChoices& tried) {
        return tried.values == run.values || tried.values == List{9, 9};
      });
  EXPECT_EQ(least.values, (List{9, 9}));
}

TEST(ShrinkTest, MovesASumToFewNumbers) {
  // Numbers of at most 9, as after a draw below 10.
  const RecordedChoices least = Shrink(
      {.values = {5, 0, 6, 3, 8}}, 10'000,
      [](const RecordedChoices& tried) -> std::optional<RecordedChoices> {
        RecordedChoices drawn = tried;
        uint64_t sum = 0;
        for (uint64_t& value : drawn.values)
          sum += value = std::min(value, 9ul);
        if (sum < 14) return std::nullopt;
        return drawn;
      });
  EXPECT_EQ(least.values, (List{5, 9}));
}

TEST(ShrinkTest, PrefersThePlainOrderOfTurns) {
  const RecordedChoices least =
      Search().Run({.values = {4}, .turns = {3, 1, 2}}, 10'000,
                   [](const RecordedChoices& run) {
                     return !run.values.empty() && run.values[0] >= 2;
                   });
  EXPECT_EQ(least.values, List{2});
  EXPECT_EQ(least.turns, List{});
}

TEST(ShrinkTest, KeepsTheTurnsThatMatter) {
  List turns(64, 3);
  const RecordedChoices least = Search().Run(
      {.values = {4}, .turns = turns}, 10'000, [](const RecordedChoices& run) {
        return run.turns.size() > 10 && run.turns[10] >= 2;
      });
  EXPECT_EQ(least.values, List{});
  EXPECT_EQ(least.turns, (List{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}));
}

TEST(ShrinkTest, FindsTheTurnThatMattersInFewRuns) {
  Search search;
  const RecordedChoices least =
      search.Run({.values = {}, .turns = List(1'000, 3)}, 10'000,
                 [](const RecordedChoices& run) {
                   return run.turns.size() > 500 && run.turns[500] == 3;
                 });
  List only(501);
  only[500] = 3;
  EXPECT_EQ(least.turns, only);
  EXPECT_LT(search.calls, 100u);
}

TEST(ShrinkTest, StopsAtItsBound) {
  for (const uint64_t most : {0, 1, 7, 100}) {
    Search search;
    uint64_t failing = 0;
    const RecordedChoices least = search.Run(
        {.values = List(1'000, 1'000)}, most, [&](const RecordedChoices& run) {
          const bool fails = run.values.size() >= 500;
          failing += fails;
          return fails;
        });
    EXPECT_LE(search.calls, most);
    EXPECT_EQ(search.calls, most) << "it could have gone on";
    // What it has found so far is not lost.
    EXPECT_EQ(failing == 0, least.values == List(1'000, 1'000)) << most;
  }
}

TEST(ShrinkTest, IsWhatItWasIfNothingElseFails) {
  Search search;
  const RecordedChoices from = {.values = {3, 0, 1}, .turns = {1, 1}};
  const RecordedChoices least =
      search.Run(from, 10'000, [](const RecordedChoices&) { return false; });
  EXPECT_EQ(least.values, from.values);
  EXPECT_EQ(least.turns, from.turns);
  EXPECT_GT(search.calls, 5u);
  EXPECT_LT(search.calls, 100u) << "it does not know when to stop";
}

TEST(ShrinkTest, ZerosAtTheEndDoNotCount) {
  Search search;
  const RecordedChoices least = search.Run(
      {.values = {1, 0, 0}, .turns = {0, 0}}, 10'000,
      [](const RecordedChoices& run) { return run.values == List{1}; });
  EXPECT_EQ(least.values, List{1});
  EXPECT_EQ(least.turns, List{});
}

}  // namespace
}  // namespace trolley::internal
