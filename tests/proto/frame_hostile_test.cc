// SPDX-License-Identifier: Apache-2.0
//
// What a hostile peer can send: one stream for each rule (hostile_streams.cc).
// A failure is a wrong error, an error that depends on how the bytes were cut,
// or memory that grows with a claimed length instead of the bytes that arrived.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/frame_decoder.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/proto/decode_all.h"
#include "trolley/tests/proto/hostile_streams.h"

namespace {

// Bytes asked of the allocator and not given back, by anyone in this program.
std::atomic<size_t> g_live_bytes{0};

}  // namespace

// The size stands in front of each block.
void* operator new(size_t size) {
  constexpr size_t kFront = alignof(std::max_align_t);
  void* block = std::malloc(size + kFront);
  if (block == nullptr) std::abort();
  *static_cast<size_t*>(block) = size;
  g_live_bytes += size;
  return static_cast<char*>(block) + kFront;
}
void operator delete(void* at) noexcept {
  if (at == nullptr) return;
  void* block = static_cast<char*>(at) - alignof(std::max_align_t);
  g_live_bytes -= *static_cast<size_t*>(block);
  std::free(block);
}
void operator delete(void* at, size_t) noexcept { operator delete(at); }

namespace trolley::wire {
namespace {

using ::testing::HasSubstr;

Hello Ours() {
  Hello hello = SmallHello();
  hello.features = kFeaturePayloadCrc;
  return hello;
}

class HostileStreamTest : public ::testing::TestWithParam<HostileStream> {};

TEST_P(HostileStreamTest, P14_GetsTheVerdictOfItsRule) {
  const Decoded decoded =
      DecodeAll(GetParam().bytes, SmallOptions(), Ours(), Whole());
  EXPECT_EQ(decoded.error, GetParam().error) << Describe(decoded);
  EXPECT_EQ(decoded.frames.size(), GetParam().frames) << Describe(decoded);
  EXPECT_THAT(decoded.text, HasSubstr(std::string(GetParam().says)));
}

TEST_P(HostileStreamTest, P14_GetsTheSameVerdictByteByByte) {
  const Decoded whole =
      DecodeAll(GetParam().bytes, SmallOptions(), Ours(), Whole());
  const Decoded bytes =
      DecodeAll(GetParam().bytes, SmallOptions(), Ours(), OneByOne());
  EXPECT_TRUE(SameResult(whole, bytes))
      << "whole: " << Describe(whole) << "\nbytes: " << Describe(bytes);
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileStreamTest, ::testing::ValuesIn(HostileStreams()),
    [](const ::testing::TestParamInfo<HostileStream>& info) {
      return info.param.name;
    });

// A table that has lost a rule would pass all the same.
TEST(HostileStreamsTest, P14_EveryErrorOfADecoderHasARow) {
  for (int number = 1; number <= static_cast<int>(WireError::kTorn); ++number) {
    const auto error = static_cast<WireError>(number);
    if (error == WireError::kCreditOverflow ||
        error == WireError::kCreditOverrun) {
      continue;  // credit_test.cc
    }
    size_t rows = 0;
    for (const HostileStream& stream : HostileStreams()) {
      if (stream.error == error) ++rows;
    }
    EXPECT_GT(rows, 0u) << WireErrorName(error);
  }
}

TEST(FrameHostileTest, P14_TextIsRefusedWithoutWaitingForMoreOfIt) {
  FrameDecoder decoder(SmallOptions());
  ASSERT_EQ(decoder.Feed("GET "), 4u);
  EXPECT_EQ(WireErrorOf(decoder.NextHello().status()), WireError::kBadMagic);
}

TEST(FrameHostileTest, P14_TheFirstErrorIsFinal) {
  const std::string damaged = HelloBytes() + std::string(24, '\0');
  FrameDecoder decoder(SmallOptions());
  ASSERT_EQ(decoder.Feed(damaged), damaged.size());
  ASSERT_TRUE(decoder.NextHello().ok());
  decoder.Begin(*Negotiate(Ours(), SmallHello()));
  const absl::Status first = decoder.NextFrame().status();
  ASSERT_EQ(WireErrorOf(first), WireError::kBadHeaderCrc);

  EXPECT_TRUE(decoder.PrepareRead().empty());
  EXPECT_EQ(decoder.Feed("more"), 0u);
  EXPECT_EQ(decoder.NextFrame().status(), first);
  EXPECT_EQ(decoder.NextHello().status(), first);
  EXPECT_EQ(decoder.AtEnd(), first);
}

TEST(FrameHostileTest, P14_OneByteOfALongestFrameCostsNoMoreThanOneRead) {
  constexpr size_t kPeers = 1000;
  Hello ours;
  ours.instance_id = 1;
  FrameHeader claim;
  claim.length = ours.max_frame_bytes;  // 1 MiB each, 1 GiB in all
  claim.sequence = 1;
  std::string bytes = HelloBytes();
  bytes.resize(bytes.size() + kFrameHeaderBytes);
  EncodeFrameHeader(claim, bytes.data() + kHelloBytes);
  bytes += "x";

  std::vector<std::unique_ptr<FrameDecoder>> decoders;
  decoders.reserve(kPeers);
  const size_t before = g_live_bytes;
  for (size_t i = 0; i < kPeers; ++i) {
    decoders.push_back(std::make_unique<FrameDecoder>(FrameDecoderOptions()));
    FrameDecoder& decoder = *decoders.back();
    ASSERT_EQ(decoder.Feed(bytes), bytes.size());
    ASSERT_TRUE(decoder.NextHello().ok());
    decoder.Begin(*Negotiate(ours, SmallHello()));
    absl::StatusOr<std::optional<Frame>> frame = decoder.NextFrame();
    ASSERT_TRUE(frame.ok()) << frame.status();
    ASSERT_FALSE(frame->has_value());
    ASSERT_FALSE(decoder.PrepareRead().empty());
  }
  const size_t each = (g_live_bytes - before) / kPeers;
  EXPECT_LE(each, 2 * (FrameDecoderOptions().read_bytes + bytes.size()) +
                      sizeof(FrameDecoder));
  EXPECT_LT(g_live_bytes - before, 64u * 1024 * 1024);
}

TEST(FrameHostileTest, P14_HoldsAtMostOneFrameAndOneRead) {
  // Frames of every length, in reads that fit no frame.
  std::string bytes = HelloBytes();
  for (uint64_t sequence = 1; sequence <= 1025; ++sequence) {
    bytes +=
        FrameBytes({.sequence = sequence}, std::string(1025 - sequence, 'p'));
  }
  const FrameDecoderOptions options = SmallOptions();
  const Decoded decoded = DecodeAll(bytes, options, Ours(), [&](size_t left) {
    return std::min(left, options.read_bytes - 1);
  });
  EXPECT_EQ(decoded.error, WireError::kNone) << decoded.text;
  EXPECT_EQ(decoded.frames.size(), 1025u);
  EXPECT_LE(decoded.most_memory_bytes,
            options.max_frame_bytes + kFrameHeaderBytes + kPayloadCrcBytes +
                options.read_bytes);
}

TEST(FrameHostileTest, P14_ASkippedFrameIsNeverHeld) {
  FrameDecoderOptions options = SmallOptions();
  options.max_frame_bytes = 1024 * 1024;
  const std::string bytes =
      HelloBytes() +
      FrameBytes({.type = static_cast<FrameType>(77), .flags = kFlagOptional},
                 std::string(1024 * 1024, 's'));
  const Decoded decoded = DecodeAll(bytes, options, Ours(), [&](size_t left) {
    return std::min(left, options.read_bytes);
  });
  EXPECT_EQ(decoded.error, WireError::kNone) << decoded.text;
  EXPECT_EQ(decoded.skipped, 1u);
  EXPECT_LE(decoded.most_memory_bytes, 4 * options.read_bytes);
}

TEST(FrameHostileTest, P14_DescriptorsUpToTheLimitAreAnnounced) {
  FrameDecoderOptions options = SmallOptions();
  options.max_fds = 8;
  const auto with_fds = [](uint8_t count) {
    return HelloBytes() + FrameBytes({.fd_count = count, .sequence = 1}, "x");
  };
  const Decoded eight = DecodeAll(with_fds(8), options, Ours(), Whole());
  EXPECT_EQ(eight.error, WireError::kNone);
  ASSERT_EQ(eight.frames.size(), 1u);
  EXPECT_EQ(eight.frames[0].header.fd_count, 8);
  const Decoded nine = DecodeAll(with_fds(9), options, Ours(), Whole());
  EXPECT_EQ(nine.error, WireError::kTooManyFds);
}

}  // namespace
}  // namespace trolley::wire
