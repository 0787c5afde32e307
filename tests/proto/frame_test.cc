// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/frame.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/proto/crc32c.h"
#include "trolley/proto/frame_decoder.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/proto/decode_all.h"
#include "trolley/tests/proto/hostile_streams.h"

namespace trolley::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// What the other end makes of `frames`.
Decoded Received(std::string_view frames, bool payload_crc) {
  Hello ours = SmallHello();
  ours.features = payload_crc ? kFeaturePayloadCrc : 0;
  std::string bytes = HelloBytes([&](Hello& h) { h.features = ours.features; });
  bytes += frames;
  return DecodeAll(bytes, SmallOptions(), ours, Whole());
}

Agreement Agreed(bool payload_crc) {
  Hello hello = SmallHello();
  hello.features = payload_crc ? kFeaturePayloadCrc : 0;
  return *Negotiate(hello, hello);
}

TEST(FrameTest, HasTheBytesOfTheReadme) {
  std::string bytes(kFrameHeaderBytes, '?');
  EncodeFrameHeader({.length = 0x01020304,
                     .type = FrameType::kGoAway,
                     .flags = kFlagOptional,
                     .fd_count = 5,
                     .stream = 0x0708090A,
                     .sequence = 0x1112131415161718},
                    bytes.data());
  EXPECT_EQ(bytes.substr(0, 20),
            std::string("\x04\x03\x02\x01\x09\x01\x05\x00\x0A\x09"
                        "\x08\x07\x18\x17\x16\x15\x14\x13\x12\x11",
                        20));
  const uint32_t crc = Crc32c(bytes.substr(0, 20));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(static_cast<uint8_t>(bytes[20 + i]), uint8_t(crc >> (8 * i)));
  }
}

class FramePairTest : public ::testing::TestWithParam<bool> {};

TEST_P(FramePairTest, WhatOneEndEncodesTheOtherDecodes) {
  FrameEncoder encoder(Agreed(GetParam()));
  std::string out;
  EXPECT_EQ(*encoder.AppendData("first", &out), 1u);
  encoder.AppendPing(0x0102030405060708, &out);
  encoder.AppendPong(42, &out);
  EXPECT_EQ(*encoder.AppendData("", &out), 2u);
  encoder.AppendCredit(4096, &out);
  encoder.AppendGoAway(2, "stopping", &out);
  EXPECT_EQ(*encoder.AppendData(std::string(1024, 'z'), &out), 3u);
  EXPECT_EQ(encoder.last_sequence(), 3u);
  AppendErrorFrame(WireError::kNotPermitted, "uid 65534", &out);

  const Decoded got = Received(out, GetParam());
  ASSERT_EQ(got.error, WireError::kNone) << Describe(got);
  ASSERT_THAT(got.frames, SizeIs(8));
  EXPECT_EQ(got.frames[0].payload, "first");
  EXPECT_EQ(got.frames[0].header.sequence, 1u);
  EXPECT_EQ(*DecodePing(got.frames[1].payload), 0x0102030405060708u);
  EXPECT_EQ(got.frames[2].header.type, FrameType::kPong);
  EXPECT_EQ(*DecodePing(got.frames[2].payload), 42u);
  EXPECT_EQ(got.frames[3].payload, "");
  EXPECT_EQ(*DecodeCredit(got.frames[4].payload), 4096u);
  EXPECT_EQ(DecodeGoAway(got.frames[5].payload)->last_sequence, 2u);
  EXPECT_EQ(DecodeGoAway(got.frames[5].payload)->text, "stopping");
  EXPECT_THAT(got.frames[6].payload, SizeIs(1024));
  const absl::Status error = DecodeError(got.frames[7].payload);
  EXPECT_EQ(WireErrorOf(error), WireError::kNotPermitted);
  EXPECT_EQ(error.message(), "NOT_PERMITTED: the peer said: uid 65534");
}

INSTANTIATE_TEST_SUITE_P(PayloadCrc, FramePairTest, ::testing::Bool());

TEST(FrameTest, APayloadThePeerRefusesIsNotSentAndTakesNoNumber) {
  FrameEncoder encoder(Agreed(false));
  std::string out;
  const absl::Status refused =
      encoder.AppendData(std::string(1025, 'x'), &out).status();
  EXPECT_EQ(WireErrorOf(refused), WireError::kFrameTooLong);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("1025 bytes; the peer accepts 1024"));
  EXPECT_EQ(out, "");
  EXPECT_EQ(*encoder.AppendData("x", &out), 1u);
}

TEST(FrameTest, LongTextsAreCutAtTheLimitOfTheReceiver) {
  FrameEncoder encoder(Agreed(false));
  std::string out;
  encoder.AppendGoAway(0, std::string(5000, 'g'), &out);
  AppendErrorFrame(WireError::kTorn, std::string(5000, 'e'), &out);
  const Decoded got = Received(out, false);
  ASSERT_EQ(got.error, WireError::kNone) << Describe(got);
  EXPECT_THAT(DecodeGoAway(got.frames[0].payload)->text,
              SizeIs(kMaxControlTextBytes));
}

TEST(FrameTest, AStatusTravelsAsItsErrorAndText) {
  std::string out;
  EXPECT_FALSE(AppendErrorFrame(absl::InternalError("ours"), &out));
  EXPECT_EQ(out, "");
  EXPECT_TRUE(AppendErrorFrame(
      MakeWireError(WireError::kFrameTooLong, "5 bytes; at most 4"), &out));
  const Decoded got = Received(out, false);
  ASSERT_THAT(got.frames, SizeIs(1));
  const absl::Status told = DecodeError(got.frames[0].payload);
  EXPECT_EQ(WireErrorOf(told), WireError::kFrameTooLong);
  EXPECT_EQ(told.message(),
            "FRAME_TOO_LONG: the peer said: 5 bytes; at most 4");
}

TEST(FrameTest, P14_TextsOfAPeerCannotDriveATerminal) {
  const std::string text("\x1b[2J\r\nroot:\0\xff", 12);
  std::string out;
  AppendErrorFrame(WireError::kBadMagic, text, &out);
  const Decoded got = Received(out, false);
  ASSERT_THAT(got.frames, SizeIs(1));
  for (const std::string& shown :
       {std::string(DecodeError(got.frames[0].payload).message()),
        DecodeGoAway("12345678" + text)->text}) {
    for (char c : shown) EXPECT_TRUE(c >= ' ' && c <= '~') << shown;
  }
}

TEST(FrameTest, AnErrorOfANewerPeerKeepsItsNumber) {
  std::string out;
  AppendErrorFrame(static_cast<WireError>(4711), "novel", &out);
  const Decoded got = Received(out, false);
  ASSERT_THAT(got.frames, SizeIs(1));
  const absl::Status told = DecodeError(got.frames[0].payload);
  EXPECT_EQ(told.message(), "WIRE_ERROR_4711: the peer said: novel");
  EXPECT_EQ(static_cast<int>(WireErrorOf(told)), 4711);
}

TEST(FrameTest, P14_ControlPayloadsOfAnotherSizeAreRefused) {
  EXPECT_EQ(WireErrorOf(DecodeCredit("123").status()), WireError::kBadLength);
  EXPECT_EQ(WireErrorOf(DecodeCredit("12345").status()), WireError::kBadLength);
  EXPECT_EQ(WireErrorOf(DecodePing("").status()), WireError::kBadLength);
  EXPECT_EQ(WireErrorOf(DecodeGoAway("1234567").status()),
            WireError::kBadLength);
  EXPECT_EQ(WireErrorOf(DecodeError("1")), WireError::kBadLength);
}

TEST(WireErrorTest, EveryErrorHasANameAndACodeAndComesBack) {
  for (int number = 1; number <= static_cast<int>(WireError::kBadVarint);
       ++number) {
    const auto error = static_cast<WireError>(number);
    const absl::Status status = MakeWireError(error, "why");
    EXPECT_EQ(WireErrorOf(status), error);
    EXPECT_NE(status.code(), absl::StatusCode::kUnknown) << number;
    EXPECT_THAT(WireErrorName(error), testing::Not(HasSubstr("WIRE_ERROR_")));
    EXPECT_EQ(testing::PrintToString(error), WireErrorName(error));
  }
  EXPECT_EQ(WireErrorOf(absl::OkStatus()), WireError::kNone);
  EXPECT_EQ(WireErrorOf(absl::DataLossError("other")), WireError::kNone);
}

}  // namespace
}  // namespace trolley::wire
