// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/choices.h"

#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace trolley::testing {
namespace {

using List = std::vector<uint64_t>;

List DrawTen(Choices& choices, uint64_t bound) {
  List drawn;
  for (int i = 0; i < 10; ++i) drawn.push_back(choices.Below(bound));
  return drawn;
}

TEST(ChoicesTest, P18_ASeedFixesWhatIsDrawn) {
  std::set<List> lists;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Choices once(seed);
    Choices again(seed);
    EXPECT_EQ(once.seed(), seed);
    const List drawn = DrawTen(once, 1'000);
    EXPECT_EQ(drawn, DrawTen(again, 1'000));
    for (const uint64_t number : drawn) EXPECT_LT(number, 1'000u);
    lists.insert(drawn);
  }
  EXPECT_EQ(lists.size(), 20u);
}

TEST(ChoicesTest, P18_TheTurnsDoNotDependOnWhatTheBodyDraws) {
  Choices one(5);
  Choices other(5);
  DrawTen(other, 7);
  List turns_of_one, turns_of_other;
  for (int i = 0; i < 10; ++i) {
    turns_of_one.push_back(one.DrawTurn(1'000));
    turns_of_other.push_back(other.DrawTurn(1'000));
  }
  EXPECT_EQ(turns_of_one, turns_of_other);
  EXPECT_NE(turns_of_one, DrawTen(one, 1'000));
}

TEST(ChoicesTest, P18_WhatWasRecordedIsDrawnAgain) {
  Choices first(9);
  const List drawn = DrawTen(first, 50);
  const uint64_t turn = first.DrawTurn(50);
  Choices again(9, first.recorded());
  EXPECT_EQ(DrawTen(again, 50), drawn);
  EXPECT_EQ(again.DrawTurn(50), turn);
  EXPECT_EQ(again.recorded().values, drawn);
  EXPECT_EQ(again.recorded().turns, List{turn});
}

TEST(ChoicesTest, AReplayDrawsZeroAtItsEndAndTheLargestForWhatIsTooLarge) {
  Choices choices(1, {.values = {3, 9}, .turns = {9}});
  EXPECT_EQ(choices.Below(5), 3u);
  EXPECT_EQ(choices.Below(5), 4u);
  EXPECT_EQ(choices.Below(5), 0u);
  EXPECT_EQ(choices.DrawTurn(2), 1u);
  EXPECT_EQ(choices.DrawTurn(2), 0u);
  EXPECT_EQ(choices.recorded().values, (List{3, 4, 0}));
}

TEST(ChoicesTest, ABoundOfZeroCountsAsOne) {
  Choices choices(1);
  EXPECT_EQ(choices.Below(0), 0u);
  EXPECT_EQ(choices.Below(1), 0u);
  EXPECT_EQ(choices.DrawTurn(0), 0u);
  Choices again(1, {.values = {7}});
  EXPECT_EQ(again.Below(0), 0u);
}

TEST(ChoicesTest, TheLargestBoundIsAllowed) {
  Choices choices(1, {.values = {UINT64_MAX}});
  EXPECT_EQ(choices.Below(UINT64_MAX), UINT64_MAX - 1);
}

TEST(ChoicesTest, RepeatTakesEachLengthUpToTheMost) {
  std::set<int> lengths;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Choices choices(seed);
    int calls = 0;
    choices.Repeat(4, [&] {
      ++calls;
      return true;
    });
    lengths.insert(calls);
  }
  EXPECT_EQ(lengths, (std::set<int>{0, 1, 2, 3, 4}));
}

TEST(ChoicesTest, RepeatTakesAnyMost) {
  int calls = 0;
  Choices none(1);
  none.Repeat(0, [&] { return ++calls > 0; });
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(none.recorded().values.empty());
  for (const uint64_t most : {UINT64_MAX, UINT64_MAX - 1}) {
    Choices many(1);
    calls = 0;
    many.Repeat(most, [&] { return ++calls < 5; });
    EXPECT_EQ(calls, 5);
  }
}

TEST(ChoicesTest, RepeatRecordsWhatEachElementDrew) {
  Choices choices(1, {.values = {1, 8, 1, 8, 0}});
  choices.Below(2);
  choices.Repeat(3, [&] {
    choices.Below(10);
    return true;
  });
  // The list: a number before, then (begins, 8) with 8 cut, then the end.
  EXPECT_EQ(choices.recorded().values, (List{1, 3, 1, 2, 0, 0}));
  using Element = internal::RecordedChoices::Element;
  EXPECT_EQ(choices.recorded().elements,
            (std::vector<Element>{{1, 3}, {3, 5}}));
}

TEST(ChoicesTest, RepeatEndsWhenAnElementSaysSo) {
  Choices choices(1, {.values = {1, 1, 1, 1}});
  int calls = 0;
  choices.Repeat(4, [&] { return ++calls < 2; });
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(choices.recorded().elements.size(), 2u);
}

TEST(ChoicesTest, DrawsAfterTheMostThatIsRecordedAreZero) {
  Choices choices(1);
  for (size_t i = 0; i < Choices::kMostRecorded; ++i) choices.Below(1'000);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(choices.Below(1'000), 0u);
  EXPECT_EQ(choices.recorded().values.size(), Choices::kMostRecorded);
  EXPECT_NE(choices.DrawTurn(UINT64_MAX), 0u);  // that list is another one
}

TEST(ChoicesTest, KnowsWhetherTheRunHasFailed) {
  Choices choices(1);
  EXPECT_FALSE(choices.failed());
  EXPECT_EQ(choices.trace(), nullptr);
  bool failed = false;
  choices.Observe([&] { return failed; }, nullptr);
  failed = true;
  EXPECT_TRUE(choices.failed());
}

}  // namespace
}  // namespace trolley::testing
