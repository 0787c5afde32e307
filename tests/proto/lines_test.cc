// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/lines.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Lines as text, and errors as "error: LINE"; "+" after an unfinished line.
std::vector<std::string> Lines(std::string_view bytes,
                               const LineDecoderOptions& options = {},
                               const std::function<size_t(size_t)>& cutter = {},
                               size_t* most_memory_bytes = nullptr) {
  LineDecoder decoder(options);
  std::vector<std::string> lines;
  uint64_t number = 0;
  const auto drain = [&] {
    for (;;) {
      const auto line = decoder.Next();
      if (!line.ok()) {
        EXPECT_EQ(WireErrorOf(line.status()), WireError::kLineTooLong);
        lines.push_back(std::string(line.status().message()));
        ++number;
        continue;
      }
      if (!line->has_value()) return;
      EXPECT_EQ((*line)->number, ++number);
      lines.push_back(std::string((*line)->text));
      if (!(*line)->terminated) lines.back() += "+";
    }
  };
  while (!bytes.empty()) {
    const size_t piece = cutter ? cutter(bytes.size()) : bytes.size();
    const size_t fed = decoder.Feed(bytes.substr(0, piece));
    EXPECT_GT(fed, 0u);
    if (most_memory_bytes != nullptr) {
      *most_memory_bytes = std::max(*most_memory_bytes, decoder.memory_bytes());
    }
    bytes.remove_prefix(fed);
    drain();
  }
  decoder.Finish();
  drain();
  return lines;
}

TEST(LineDecoderTest, CutsAtNewlinesAndKeepsEverythingElse) {
  EXPECT_THAT(Lines("a\n\nb c\r\n"), ElementsAre("a", "", "b c\r"));
  EXPECT_THAT(Lines(std::string("\0\xff\n", 3)),
              ElementsAre(std::string("\0\xff", 2)));
}

TEST(LineDecoderTest, TheLastLineNeedsNoNewlineAndSaysSo) {
  EXPECT_THAT(Lines("a\nb"), ElementsAre("a", "b+"));
  EXPECT_THAT(Lines("a\n"), ElementsAre("a"));
  EXPECT_THAT(Lines(""), IsEmpty());
}

TEST(LineDecoderTest, P14_ALineOverTheLimitIsNamedAndTheNextOneIsRead) {
  const LineDecoderOptions options = {.max_line_bytes = 4, .read_bytes = 8};
  EXPECT_THAT(
      Lines("1234\n12345\nab\n1234567890123456789012345678901234567890\ncd\n",
            options),
      ElementsAre("1234",
                  HasSubstr("line 2 is longer than 4 bytes (max_line_bytes)"),
                  "ab", HasSubstr("line 4"), "cd"));
  EXPECT_THAT(Lines("ok\n123456", options),
              ElementsAre("ok", HasSubstr("line 2")));
}

TEST(LineDecoderTest, P14_AFileWithoutLinesCostsNoMemory) {
  const LineDecoderOptions options = {.max_line_bytes = 1000,
                                      .read_bytes = 500};
  size_t most = 0;
  const auto lines = Lines(
      std::string(1000 * 1000, 'x') + "\nend\n", options,
      [](size_t left) { return std::min<size_t>(left, 500); }, &most);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("line 1"), "end"));
  EXPECT_LE(most, 1000u + 500u + 1u);
}

TEST(LineDecoderTest, P14_TheCutsOfAStreamDoNotChangeItsLines) {
  const LineDecoderOptions options = {.max_line_bytes = 20, .read_bytes = 16};
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    std::string bytes;
    std::vector<std::string> expected;
    for (uint64_t i = random() % 30; i > 0; --i) {
      const std::string line(random() % 25, char('a' + random() % 26));
      bytes += line + "\n";
      expected.push_back(line.size() <= 20 ? line : "too long");
    }
    for (int round = 0; round < 3; ++round) {
      auto lines = Lines(bytes, options, [&](size_t left) -> size_t {
        if (round == 0) return left;
        return round == 1 ? 1 : 1 + random() % std::min<size_t>(left, 40);
      });
      for (std::string& line : lines) {
        if (line.size() > 20) line = "too long";
      }
      ASSERT_EQ(lines, expected) << "round " << round;
    }
  }
}

TEST(LineDecoderTest, DroppedLinesAreCounted) {
  LineDecoder decoder({.max_line_bytes = 2});
  ASSERT_EQ(decoder.Feed("abc\nde\nfgh\n"), 11u);
  EXPECT_FALSE(decoder.Next().ok());
  EXPECT_EQ((*decoder.Next())->text, "de");
  EXPECT_FALSE(decoder.Next().ok());
  EXPECT_FALSE((*decoder.Next()).has_value());
  EXPECT_EQ(decoder.lines_dropped(), 2u);
}

}  // namespace
}  // namespace trolley::wire
