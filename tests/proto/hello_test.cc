// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/hello.h"

#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {
namespace {

using ::testing::HasSubstr;

Hello Versions(uint16_t least, uint16_t most) {
  Hello hello;
  hello.min_version = least;
  hello.max_version = most;
  hello.instance_id = 1;
  return hello;
}

TEST(HelloTest, TheDefaultNeedsAnInstanceIdAndNothingElse) {
  Hello hello;
  EXPECT_THAT(std::string(ValidateHello(hello).message()),
              HasSubstr("instance_id"));
  hello.instance_id = 1;
  EXPECT_TRUE(ValidateHello(hello).ok());
}

TEST(HelloTest, HasTheBytesOfTheReadme) {
  Hello hello;
  hello.min_version = 0x0102;
  hello.max_version = 0x0304;
  hello.features = 0x05060708;
  hello.max_frame_bytes = 0x00010400;
  hello.initial_credit_bytes = 0x090A0B0C;
  hello.instance_id = 0x1112131415161718;
  std::string bytes(kHelloBytes, '?');
  EncodeHello(hello, bytes.data());
  EXPECT_EQ(bytes, std::string("\x54\x52\x4C\x59\x0D\x0A\x1A\x00"
                               "\x02\x01\x04\x03\x08\x07\x06\x05"
                               "\x00\x04\x01\x00\x0C\x0B\x0A\x09"
                               "\x18\x17\x16\x15\x14\x13\x12\x11",
                               32));
  ASSERT_TRUE(DecodeHello(bytes).ok());
  EXPECT_EQ(*DecodeHello(bytes), hello);
}

TEST(HelloTest, P14_OtherSizesThan32AreNoHello) {
  std::string bytes(kHelloBytes, '\0');
  EncodeHello(Versions(1, 1), bytes.data());
  EXPECT_TRUE(DecodeHello(bytes).ok());
  EXPECT_EQ(WireErrorOf(DecodeHello(bytes + "x").status()),
            WireError::kBadMagic);
  bytes.pop_back();
  EXPECT_EQ(WireErrorOf(DecodeHello(bytes).status()), WireError::kBadMagic);
}

TEST(HelloTest, BothSidesAgreeOnTheHighestCommonVersion) {
  struct Row {
    Hello a, b;
    uint16_t version;
  };
  for (const Row& row : {Row{Versions(1, 1), Versions(1, 1), 1},
                         Row{Versions(1, 3), Versions(1, 2), 2},
                         Row{Versions(2, 5), Versions(1, 9), 5},
                         Row{Versions(1, 2), Versions(2, 3), 2}}) {
    ASSERT_TRUE(Negotiate(row.a, row.b).ok());
    EXPECT_EQ(Negotiate(row.a, row.b)->version, row.version);
    EXPECT_EQ(Negotiate(row.b, row.a)->version, row.version);
  }
}

TEST(HelloTest, WithoutACommonVersionEachSideSaysWhoIsTheOlder) {
  const absl::Status old = Negotiate(Versions(1, 2), Versions(3, 4)).status();
  EXPECT_EQ(WireErrorOf(old), WireError::kNoCommonVersion);
  EXPECT_THAT(std::string(old.message()),
              HasSubstr("this side speaks versions 1 to 2, the peer 3 to 4; "
                        "update this side"));
  const absl::Status fresh = Negotiate(Versions(3, 4), Versions(1, 2)).status();
  EXPECT_EQ(WireErrorOf(fresh), WireError::kNoCommonVersion);
  EXPECT_THAT(std::string(fresh.message()), HasSubstr("update the peer"));
}

TEST(HelloTest, AFeatureIsOnOnlyIfBothOfferItAndWeKnowIt) {
  Hello ours = Versions(1, 1), theirs = Versions(1, 1);
  EXPECT_FALSE(Negotiate(ours, theirs)->payload_crc());
  theirs.features = 0xFFFFFFFF;
  EXPECT_EQ(Negotiate(ours, theirs)->features, 0u);
  ours.features = kFeaturePayloadCrc;
  EXPECT_EQ(Negotiate(ours, theirs)->features, kFeaturePayloadCrc);
  ours.features = 0xFFFFFFFF;
  EXPECT_EQ(Negotiate(ours, theirs)->features, kFeaturePayloadCrc);
}

TEST(HelloTest, EachDirectionHasTheLimitsOfItsReceiver) {
  Hello ours = Versions(1, 1), theirs = Versions(1, 1);
  ours.max_frame_bytes = 2000;
  ours.initial_credit_bytes = 5000;
  theirs.max_frame_bytes = 4000;
  theirs.initial_credit_bytes = 9000;
  theirs.instance_id = 77;
  const auto agreement = Negotiate(ours, theirs);
  ASSERT_TRUE(agreement.ok());
  EXPECT_EQ(agreement->send_max_frame_bytes, 4000u);
  EXPECT_EQ(agreement->send_credit_bytes, 9000u);
  EXPECT_EQ(agreement->receive_max_frame_bytes, 2000u);
  EXPECT_EQ(agreement->receive_credit_bytes, 5000u);
  EXPECT_EQ(agreement->peer_instance_id, 77u);
}

TEST(HelloTest, ALimitOfOneLessOrMoreIsRefused) {
  const auto check = [](uint64_t frame, uint64_t credit) {
    Hello hello = Versions(1, 1);
    hello.max_frame_bytes = static_cast<uint32_t>(frame);
    hello.initial_credit_bytes = static_cast<uint32_t>(credit);
    return ValidateHello(hello).ok();
  };
  constexpr uint64_t kMost = kMostMaxFrameBytes;
  EXPECT_TRUE(check(1024, 2096));
  EXPECT_FALSE(check(1023, 2096));
  EXPECT_FALSE(check(1024, 2095));
  EXPECT_TRUE(check(kMost, 2 * (kMost + 24)));
  EXPECT_FALSE(check(kMost + 1, 2 * (kMost + 25)));
  EXPECT_TRUE(check(1024, kMostCreditBytes));
  EXPECT_FALSE(check(1024, uint64_t{kMostCreditBytes} + 1));
}

}  // namespace
}  // namespace trolley::wire
