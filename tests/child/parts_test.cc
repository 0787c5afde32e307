// SPDX-License-Identifier: Apache-2.0
//
// The parts of a child process that need no process.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/child/internal/child_input.h"
#include "trolley/actors/child/internal/error_lines.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

using internal::ChildInput;
using internal::ErrorLines;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ErrorLinesTest, CutsAtLineBreaksWhateverThePieces) {
  ErrorLines lines;
  lines.Add("on");
  EXPECT_THAT(lines.Take(), IsEmpty());
  lines.Add("e\n\n\ntwo\nthr");
  EXPECT_THAT(lines.Take(), ElementsAre("one", "two"));
  lines.Add("ee");
  lines.Finish();
  EXPECT_THAT(lines.Take(), ElementsAre("three"));
  lines.Finish();
  EXPECT_THAT(lines.Take(), IsEmpty());
}

TEST(ErrorLinesTest, P14_ALineIsCutAndPrintable) {
  ErrorLines lines;
  for (int i = 0; i < 1000; ++i) lines.Add(std::string(1000, 'x'));
  lines.Add("\n\033[0m\n");
  const std::vector<std::string> taken = lines.Take();
  EXPECT_THAT(taken,
              ElementsAre(std::string(kMaxTextBytes, 'x') + "...", "\\x1b[0m"));
}

TEST(ErrorLinesTest, P6_LinesBeyondTheLimitAreCounted) {
  ErrorLines lines;
  for (int i = 0; i < 1000; ++i) lines.Add("x\n");
  EXPECT_THAT(lines.Take(), SizeIs(ErrorLines::kMostLines));
  EXPECT_EQ(lines.TakeLeftOut(), 1000 - ErrorLines::kMostLines);
  EXPECT_EQ(lines.TakeLeftOut(), 0u);
}

TEST(ChildInputTest, P6_CountsTheLengthsOfFrames) {
  for (const size_t size : {0, 1, 127, 128, 16383, 16384, 100'000}) {
    ChildInput input(PipeFormat::kDelimited, 1 << 20);
    ASSERT_EQ(input.Add(std::string(size, 'x')), Delivery::kAccepted);
    const size_t framed = input.front().size();
    EXPECT_EQ(input.waiting(), framed);
    // Just room enough, and one byte less.
    EXPECT_EQ(
        ChildInput(PipeFormat::kDelimited, framed).Add(std::string(size, 'x')),
        Delivery::kAccepted);
    EXPECT_EQ(ChildInput(PipeFormat::kDelimited, framed - 1)
                  .Add(std::string(size, 'x')),
              Delivery::kFull);
  }
}

TEST(ChildInputTest, WhatIsBeingWrittenDoesNotMove) {
  ChildInput input(PipeFormat::kLines, 1 << 20);
  ASSERT_EQ(input.Add("first"), Delivery::kAccepted);
  const absl::string_view lent = input.front();
  for (int i = 0; i < 1000; ++i) input.Add("more");
  EXPECT_EQ(lent, "first\n");
  EXPECT_EQ(lent.data(), input.front().data());
  input.PopFront();
  EXPECT_EQ(input.waiting(), 5000u);
  EXPECT_EQ(input.front().substr(0, 10), "more\nmore\n");
  input.PopFront();
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(input.waiting(), 0u);
}

TEST(ChildInputTest, NothingIsAddedWhenItIsClosed) {
  ChildInput input(PipeFormat::kLines, 100);
  EXPECT_EQ(input.Add("a"), Delivery::kAccepted);
  input.Close();
  EXPECT_EQ(input.Add("b"), Delivery::kGone);
  EXPECT_EQ(input.front(), "a\n");  // it is still written
  input.PopFront();
  input.Break();
  EXPECT_TRUE(input.empty());
}

}  // namespace
}  // namespace trolley
