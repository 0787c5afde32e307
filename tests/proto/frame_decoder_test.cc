// SPDX-License-Identifier: Apache-2.0
//
// The result of a FrameDecoder depends only on the bytes, not on how they are
// cut. The expected result comes from the decoder itself, fed all bytes at
// once. Streams are random, half of them damaged, and cut at random. A failure
// is any other Hello, frame, count or error.

#include "trolley/proto/frame_decoder.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/proto/decode_all.h"
#include "trolley/tests/proto/hostile_streams.h"

namespace trolley::wire {
namespace {

class StreamMaker {
 public:
  explicit StreamMaker(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t limit) { return random_() % limit; }

  std::string Stream(const Hello& hello) {
    std::string bytes(kHelloBytes, '\0');
    EncodeHello(hello, bytes.data());
    Hello ours = SmallHello();
    ours.features = kFeaturePayloadCrc;
    FrameEncoder encoder(*Negotiate(ours, hello));
    const uint64_t frames = Below(12);
    for (uint64_t i = 0; i < frames; ++i) AppendOne(encoder, &bytes);
    return bytes;
  }

  void Damage(std::string* bytes) {
    const size_t at = Below(bytes->size());
    switch (Below(5)) {
      case 0:
        (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << Below(8)));
        break;
      case 1:
        bytes->erase(at, 1 + Below(40));
        break;
      case 2:
        bytes->insert(at, std::string(1 + Below(40), char(Below(256))));
        break;
      case 3:
        bytes->resize(at);
        break;
      default:
        bytes->insert(at, bytes->substr(Below(bytes->size()), Below(100)));
    }
  }

 private:
  void AppendOne(FrameEncoder& encoder, std::string* bytes) {
    switch (Below(8)) {
      case 0:
        return encoder.AppendPing(random_(), bytes);
      case 1:
        return encoder.AppendCredit(1 + Below(1000), bytes);
      case 2:
        return encoder.AppendGoAway(Below(9), std::string(Below(60), 'g'),
                                    bytes);
      case 3:
        return AppendErrorFrame(static_cast<WireError>(Below(30)), "e", bytes);
      default: {
        const size_t length = Below(2) == 0 ? Below(30) : Below(1025);
        ASSERT_TRUE(
            encoder.AppendData(std::string(length, char(Below(256))), bytes)
                .ok());
      }
    }
  }

  std::mt19937_64 random_;
};

class FrameDecoderSplitTest : public ::testing::TestWithParam<bool> {};

TEST_P(FrameDecoderSplitTest, P14_TheCutsOfAStreamDoNotChangeItsResult) {
  Hello ours = SmallHello();
  ours.features = GetParam() ? kFeaturePayloadCrc : 0;
  uint64_t clean = 0, damaged = 0;
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << "; replay: set the loop to it");
    StreamMaker maker(seed);
    std::string bytes = maker.Stream(ours);
    const bool damage = seed % 2 == 0;
    if (damage) maker.Damage(&bytes);
    const FrameDecoderOptions options = SmallOptions();
    const Decoded whole = DecodeAll(bytes, options, ours, Whole());
    if (!damage) {
      ASSERT_EQ(whole.error, WireError::kNone) << Describe(whole);
    }
    ++(whole.error == WireError::kNone ? clean : damaged);

    const Decoded single = DecodeAll(bytes, options, ours, OneByOne());
    ASSERT_TRUE(SameResult(whole, single))
        << "whole: " << Describe(whole) << "\nsingle: " << Describe(single);
    const Decoded pieces = DecodeAll(bytes, options, ours, [&](size_t left) {
      return 1 + maker.Below(std::min<size_t>(left, 1 + maker.Below(600)));
    });
    ASSERT_TRUE(SameResult(whole, pieces))
        << "whole: " << Describe(whole) << "\npieces: " << Describe(pieces);
  }
  // The test must have been about both kinds; without checksums, damage inside
  // a payload is no error.
  EXPECT_GE(clean, 1000u);
  EXPECT_GE(damaged, 800u);
}

INSTANTIATE_TEST_SUITE_P(PayloadCrc, FrameDecoderSplitTest, ::testing::Bool());

TEST(FrameDecoderTest, P14_EveryCutOfAGoodStreamIsTornOrClean) {
  Hello ours = SmallHello();
  const std::string first = FrameBytes({.sequence = 1}, "abc");
  const std::string bytes =
      HelloBytes() + first + FrameBytes({.sequence = 2}, "");
  const size_t after_hello = kHelloBytes;
  const size_t after_first = after_hello + first.size();
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const Decoded decoded = DecodeAll(std::string_view(bytes).substr(0, cut),
                                      SmallOptions(), ours, Whole());
    const bool between =
        cut == after_hello || cut == after_first || cut == bytes.size();
    EXPECT_EQ(decoded.error, between ? WireError::kNone : WireError::kTorn)
        << cut << ": " << Describe(decoded);
  }
}

TEST(FrameDecoderTest, PayloadsAreViewsIntoWhatWasRead) {
  const std::string bytes = HelloBytes() + FrameBytes({.sequence = 1}, "here");
  FrameDecoder decoder(SmallOptions());
  const absl::Span<char> room = decoder.PrepareRead();
  ASSERT_GE(room.size(), bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  decoder.Commit(bytes.size());
  ASSERT_TRUE(decoder.NextHello().ok());
  decoder.Begin(*Negotiate(SmallHello(), SmallHello()));
  const auto frame = decoder.NextFrame();
  ASSERT_TRUE(frame.ok() && frame->has_value());
  EXPECT_EQ((*frame)->payload, "here");
  EXPECT_EQ((*frame)->payload.data(),
            room.data() + kHelloBytes + kFrameHeaderBytes);
  EXPECT_EQ(decoder.bytes_received(), bytes.size());
}

TEST(FrameDecoderTest, NoFrameComesBeforeTheAgreement) {
  const std::string bytes = HelloBytes() + FrameBytes({.sequence = 1}, "x");
  FrameDecoder decoder(SmallOptions());
  decoder.Begin(Agreement());  // too early: there is no Hello yet
  ASSERT_EQ(decoder.Feed(bytes), bytes.size());
  EXPECT_FALSE((*decoder.NextFrame()).has_value());
  ASSERT_TRUE((*decoder.NextHello()).has_value());
  EXPECT_FALSE((*decoder.NextFrame()).has_value());
  decoder.Begin(*Negotiate(SmallHello(), SmallHello()));
  EXPECT_TRUE((*decoder.NextFrame()).has_value());
  EXPECT_EQ(**decoder.NextHello(), SmallHello());
}

TEST(FrameDecoderTest, AFullDecoderTakesNoMoreUntilFramesAreTaken) {
  FrameDecoder decoder(SmallOptions());
  std::string bytes = HelloBytes();
  for (uint64_t sequence = 1; sequence <= 100; ++sequence) {
    bytes += FrameBytes({.sequence = sequence}, std::string(100, 'f'));
  }
  std::string_view left = bytes;
  left.remove_prefix(decoder.Feed(left));
  EXPECT_FALSE(left.empty());
  EXPECT_TRUE(decoder.PrepareRead().empty());
  EXPECT_EQ(decoder.Feed(left), 0u);

  ASSERT_TRUE((*decoder.NextHello()).has_value());
  decoder.Begin(*Negotiate(SmallHello(), SmallHello()));
  size_t frames = 0;
  for (;;) {
    const auto frame = decoder.NextFrame();
    ASSERT_TRUE(frame.ok()) << frame.status();
    if (frame->has_value()) {
      ++frames;
    } else if (left.empty()) {
      break;
    } else {
      ASSERT_GE(decoder.PrepareRead().size(), SmallOptions().read_bytes);
      left.remove_prefix(decoder.Feed(left));
    }
  }
  EXPECT_EQ(frames, 100u);
}

TEST(FrameDecoderTest, NothingIsAllocatedBeforeTheFirstRead) {
  EXPECT_EQ(FrameDecoder(FrameDecoderOptions()).memory_bytes(), 0u);
}

}  // namespace
}  // namespace trolley::wire
