// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/printable.h"

#include <string>

#include "gtest/gtest.h"

namespace trolley {
namespace {

TEST(PrintableTest, KeepsWhatCanBeSeen) {
  EXPECT_EQ(Printable("plain \"text\" \\ ~"), "plain \"text\" \\ ~");
  EXPECT_EQ(Printable("Stra\u00dfenbahn \u7535\u8f66 \U0001F68E"),
            "Stra\u00dfenbahn \u7535\u8f66 \U0001F68E");
  EXPECT_EQ(Printable(""), "");
}

TEST(PrintableTest, EscapesWhatMovesHidesOrTurns) {
  EXPECT_EQ(Printable("a\x1b[2Jb\n\t\x7f"), "a\\x1b[2Jb\\x0a\\x09\\x7f");
  EXPECT_EQ(Printable("\u009b"), "\\xc2\\x9b");       // CSI in one character
  EXPECT_EQ(Printable("\u202e"), "\\xe2\\x80\\xae");  // right to left
  EXPECT_EQ(Printable("\u200b"), "\\xe2\\x80\\x8b");  // no width
  EXPECT_EQ(Printable(std::string("\0", 1)), "\\x00");
}

TEST(PrintableTest, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(Printable("\xff\xc0\x80"), "\\xff\\xc0\\x80");
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(Printable("\xe2\x82"), "\\xe2\\x82");           // cut off
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

TEST(PrintableTest, CutsBetweenCharacters) {
  EXPECT_EQ(Printable("abcdef", 4), "abcd...");
  EXPECT_EQ(Printable("abcdef", 6), "abcdef");
  EXPECT_EQ(Printable("abc\u00df", 4), "abc...");
  EXPECT_EQ(Printable("abc\n", 5), "abc...");
}

}  // namespace
}  // namespace trolley
