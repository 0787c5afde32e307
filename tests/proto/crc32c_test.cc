// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/crc32c.h"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace trolley::wire {
namespace {

// One bit at a time: slow, and short enough to be checked by eye.
uint32_t BitByBit(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int i = 0; i < 8; ++i) {
      crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
    }
  }
  return ~crc;
}

// The vectors of RFC 3720, appendix B.4.
TEST(Crc32cTest, GivesThePublishedValues) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
}

TEST(Crc32cTest, AllImplementationsAgreeAtEveryLengthAndCut) {
  const uint32_t seed = 20240607;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  std::string bytes;
  for (size_t length = 0; length < 300; ++length) {
    const uint32_t expected = BitByBit(bytes);
    ASSERT_EQ(Crc32c(bytes), expected) << length;
    ASSERT_EQ(internal::Crc32cPortable(bytes), expected) << length;
    const size_t cut = random() % (length + 1);
    const std::string_view all = bytes;
    const std::string_view head = all.substr(0, cut), tail = all.substr(cut);
    ASSERT_EQ(Crc32c(tail, Crc32c(head)), expected) << length << " " << cut;
    ASSERT_EQ(internal::Crc32cPortable(tail, Crc32c(head)), expected);
    bytes.push_back(static_cast<char>(random()));
  }
}

}  // namespace
}  // namespace trolley::wire
