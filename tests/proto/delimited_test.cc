// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/delimited.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {
namespace {

using ::testing::HasSubstr;

struct Result {
  std::vector<std::string> messages;
  WireError error = WireError::kNone;
  std::string text;
  size_t most_memory_bytes = 0;
};

Result Decode(std::string_view bytes,
              const DelimitedDecoderOptions& options = {},
              const std::function<size_t(size_t)>& cutter = {}) {
  DelimitedDecoder decoder(options);
  Result result;
  const auto fail = [&](const absl::Status& status) {
    result.error = WireErrorOf(status);
    result.text = std::string(status.message());
  };
  while (!bytes.empty()) {
    const size_t piece = cutter ? cutter(bytes.size()) : bytes.size();
    const size_t fed = decoder.Feed(bytes.substr(0, piece));
    EXPECT_GT(fed, 0u);
    result.most_memory_bytes =
        std::max(result.most_memory_bytes, decoder.memory_bytes());
    bytes.remove_prefix(fed);
    for (;;) {
      const auto message = decoder.Next();
      if (!message.ok()) {
        fail(message.status());
        EXPECT_EQ(decoder.Next().status(), message.status());
        EXPECT_EQ(decoder.AtEnd(), message.status());
        EXPECT_TRUE(decoder.PrepareRead().empty());
        EXPECT_EQ(decoder.Feed("x"), 0u);
        return result;
      }
      if (!message->has_value()) break;
      result.messages.push_back(std::string(**message));
    }
  }
  fail(decoder.AtEnd());
  return result;
}

TEST(DelimitedTest, WhatIsAppendedIsDecoded) {
  std::string bytes;
  const std::vector<std::string> messages = {"one", "", std::string(127, 'a'),
                                             std::string(128, 'b'),
                                             std::string(20000, 'c')};
  for (const std::string& message : messages) {
    ASSERT_TRUE(AppendDelimited(message, &bytes).ok());
  }
  EXPECT_EQ(Decode(bytes).messages, messages);
  EXPECT_EQ(Decode(bytes).error, WireError::kNone);
}

TEST(DelimitedTest, HasTheBytesThatProtobufWrites) {
  std::string bytes;
  ASSERT_TRUE(AppendDelimited(std::string(300, 'x'), &bytes).ok());
  EXPECT_EQ(bytes.substr(0, 3), "\xAC\x02x");
}

TEST(DelimitedTest, P14_LengthsThatBreakARuleGetTheirVerdict) {
  struct Row {
    std::string_view bytes;
    WireError error;
    std::string_view says;
  };
  const DelimitedDecoderOptions options = {.max_message_bytes = 200,
                                           .read_bytes = 64};
  const std::string_view padded("\x81\0x", 3);  // 1 in two bytes: allowed
  for (const Row& row : {
           Row{"\xFF\xFF\xFF\xFF\xFF\x01", WireError::kBadVarint, "message 1"},
           Row{"\xFF\xFF\xFF\xFF\x1F", WireError::kBadVarint, "32-bit"},
           Row{"\xFF\xFF\xFF\xFF\x0F", WireError::kMessageTooLong,
               "4294967295 bytes; at most 200"},
           Row{"\xC9\x01", WireError::kMessageTooLong, "201"},
           Row{"\x01x\xC9\x01", WireError::kMessageTooLong, "message 2"},
           Row{"\xC8", WireError::kTorn, "length before message 1"},
           Row{"\x05xyz", WireError::kTorn, "after 3 of 5"},
           Row{padded, WireError::kNone, ""},
       }) {
    const Result whole = Decode(row.bytes, options);
    EXPECT_EQ(whole.error, row.error) << whole.text;
    EXPECT_THAT(whole.text, HasSubstr(std::string(row.says)));
    const Result single = Decode(row.bytes, options, [](size_t) { return 1; });
    EXPECT_EQ(single.error, row.error) << single.text;
    EXPECT_EQ(single.messages, whole.messages);
  }
}

TEST(DelimitedTest, P14_MemoryFollowsBytesAndNotLengths) {
  const DelimitedDecoderOptions options = {.max_message_bytes = 1 << 30,
                                           .read_bytes = 1024};
  const Result result = Decode("\x80\x80\x80\x80\x04x", options);
  EXPECT_EQ(result.error, WireError::kTorn);
  EXPECT_THAT(result.text, HasSubstr("after 1 of 1073741824"));
  EXPECT_LE(result.most_memory_bytes, 2048u);
}

TEST(DelimitedTest, P14_TheCutsOfAStreamDoNotChangeItsMessages) {
  const DelimitedDecoderOptions options = {.max_message_bytes = 300,
                                           .read_bytes = 32};
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    std::string bytes;
    for (uint64_t i = random() % 20; i > 0; --i) {
      ASSERT_TRUE(
          AppendDelimited(std::string(random() % 301, 'm'), &bytes).ok());
    }
    if (seed % 2 == 0 && !bytes.empty()) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const Result whole = Decode(bytes, options);
    const Result pieces = Decode(bytes, options, [&](size_t left) {
      return seed % 3 == 0 ? 1 : 1 + random() % std::min<size_t>(left, 50);
    });
    ASSERT_EQ(whole.messages, pieces.messages);
    ASSERT_EQ(whole.error, pieces.error);
    ASSERT_LE(pieces.most_memory_bytes, 300u + 5u + 32u);
  }
}

TEST(DelimitedTest, AMessageOverTheLimitIsNotAppended) {
  std::string bytes = "before";
  const absl::Status refused =
      AppendDelimited(std::string(201, 'x'), &bytes, 200);
  EXPECT_EQ(WireErrorOf(refused), WireError::kMessageTooLong);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("201 bytes"));
  EXPECT_EQ(bytes, "before");
}

}  // namespace
}  // namespace trolley::wire
