// SPDX-License-Identifier: Apache-2.0
//
// Every number of the options of the decoders at its extremes. A decoder has no
// way to refuse one, so each works: what is out of its range counts as the
// nearest number in it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "trolley/proto/delimited.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/frame_decoder.h"
#include "trolley/proto/lines.h"
#include "trolley/proto/read_buffer.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/proto/hostile_streams.h"

namespace trolley::wire {
namespace {

// No test sends more, however much a decoder would take.
constexpr size_t kLongest = size_t{2} << 20;

// Reads all of `bytes` as from a socket, and calls take() after each read.
// False: the decoder has no room, so its reader would take that for the end.
template <typename Decoder, typename Take>
bool ReadAll(Decoder& decoder, std::string_view bytes, Take take) {
  while (!bytes.empty()) {
    const absl::Span<char> room = decoder.PrepareRead();
    if (room.empty()) return false;
    const size_t part = std::min(room.size(), bytes.size());
    std::copy_n(bytes.data(), part, room.data());
    decoder.Commit(part);
    bytes.remove_prefix(part);
    take();
  }
  return true;
}

// What a decoder may hold, with the longest input above and one read.
void ExpectBounded(size_t memory_bytes) {
  EXPECT_LE(memory_bytes, 2 * (kLongest + kFrameHeaderBytes + kMostReadBytes));
}

absl::Status UseLines(const LineDecoderOptions& options) {
  const size_t most = std::clamp<size_t>(options.max_line_bytes, 1,
                                         LineDecoderOptions::kMostLineBytes);
  const std::string longest(std::min(most, kLongest), 'a');
  LineDecoder decoder(options);
  std::string last;
  int lines = 0, dropped = 0;
  const auto take = [&] {
    for (;;) {
      const auto line = decoder.Next();
      if (!line.ok()) {
        EXPECT_EQ(WireErrorOf(line.status()), WireError::kLineTooLong);
        ++dropped;
        continue;
      }
      if (!line->has_value()) return;
      last = std::string((*line)->text);
      ++lines;
    }
  };
  EXPECT_TRUE(ReadAll(decoder, longest + "\n", take));
  EXPECT_EQ(lines, 1);
  EXPECT_TRUE(last == longest) << last.size() << " bytes";
  // One byte more is too much, and the line after it is well.
  const bool limited = most < kLongest;
  EXPECT_TRUE(ReadAll(decoder, longest + "b\nc\n", take));
  EXPECT_EQ(lines, limited ? 2 : 3);
  EXPECT_EQ(dropped, limited ? 1 : 0);
  EXPECT_EQ(last, "c");
  ExpectBounded(decoder.memory_bytes());
  return absl::OkStatus();
}

TEST(OptionsTest, P14_EveryNumberOfALineDecoder) {
  AtExtremes<LineDecoderOptions>(
      [](LineDecoderOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, max_line_bytes, read_bytes);
      },
      UseLines);
}

absl::Status UseDelimited(const DelimitedDecoderOptions& options) {
  const uint32_t most = options.max_message_bytes;
  const std::string longest(std::min<size_t>(most, kLongest), 'a');
  DelimitedDecoder decoder(options);
  std::string last;
  absl::Status error;
  const auto take = [&] {
    for (;;) {
      const auto message = decoder.Next();
      error = message.status();
      if (!message.ok() || !message->has_value()) return;
      last = std::string(**message);
    }
  };
  std::string bytes;
  EXPECT_TRUE(AppendDelimited(longest, &bytes, most).ok());
  EXPECT_TRUE(ReadAll(decoder, bytes, take));
  EXPECT_TRUE(error.ok()) << error;
  EXPECT_EQ(decoder.messages(), 1u);
  EXPECT_TRUE(last == longest) << last.size() << " bytes";
  ExpectBounded(decoder.memory_bytes());
  // One byte more is too much; a decoder that takes more just waits for it.
  bytes.clear();
  const bool limited = most < kLongest;
  const std::string longer = longest + "b";
  EXPECT_EQ(AppendDelimited(longer, &bytes, most).ok(), !limited);
  if (limited) {
    EXPECT_TRUE(AppendDelimited(longer, &bytes, most + 1).ok());
  }
  EXPECT_TRUE(ReadAll(decoder, std::string_view(bytes).substr(0, 5), take));
  EXPECT_EQ(WireErrorOf(error),
            limited ? WireError::kMessageTooLong : WireError::kNone);
  return absl::OkStatus();
}

TEST(OptionsTest, P14_EveryNumberOfADelimitedDecoder) {
  AtExtremes<DelimitedDecoderOptions>(
      [](DelimitedDecoderOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, max_message_bytes, read_bytes);
      },
      UseDelimited);
}

// A decoder that has read a Hello, and takes frames with checksums.
struct Connected {
  explicit Connected(const FrameDecoderOptions& options) : decoder(options) {
    const auto take = [&] { EXPECT_TRUE(decoder.NextHello().ok()); };
    EXPECT_TRUE(ReadAll(decoder, HelloBytes(), take));
    EXPECT_TRUE(decoder.hello_done());
    decoder.Begin(agreement);
  }
  // The error that the frames in `bytes` lead to.
  WireError Read(std::string_view bytes) {
    absl::Status error;
    const bool all = ReadAll(decoder, bytes, [&] {
      for (;;) {
        const auto frame = decoder.NextFrame();
        error.Update(frame.status());
        if (!frame.ok() || !frame->has_value()) return;
        payload = std::string((*frame)->payload);
        ++frames;
      }
    });
    // After an error there is no room.
    EXPECT_TRUE(all || !error.ok());
    return WireErrorOf(error);
  }

  const Agreement agreement = {.features = kFeaturePayloadCrc,
                               .send_max_frame_bytes = UINT32_MAX};
  FrameDecoder decoder;
  std::string payload;
  int frames = 0;
};

absl::Status UseFrames(const FrameDecoderOptions& options) {
  const uint32_t most = options.max_frame_bytes;
  const std::string longest(std::min<size_t>(most, kLongest), 'a');
  {
    Connected peer(options);
    FrameEncoder encoder(peer.agreement);
    std::string bytes;
    EXPECT_TRUE(encoder.AppendData(longest, &bytes).ok());
    EXPECT_EQ(peer.Read(bytes), WireError::kNone);
    EXPECT_EQ(peer.frames, 1);
    EXPECT_TRUE(peer.payload == longest) << peer.payload.size() << " bytes";
    ExpectBounded(peer.decoder.memory_bytes());
    // One byte more is too much, said when the header has come.
    bytes.clear();
    EXPECT_TRUE(encoder.AppendData(longest + "b", &bytes).ok());
    bytes.resize(kFrameHeaderBytes);
    EXPECT_EQ(peer.Read(bytes),
              most < kLongest ? WireError::kFrameTooLong : WireError::kNone);
  }
  // So many descriptors, and one more.
  for (int fds = options.max_fds; fds <= options.max_fds + 1; ++fds) {
    if (fds > UINT8_MAX) continue;
    Connected peer(options);
    const std::string bytes =
        FrameBytes({.fd_count = static_cast<uint8_t>(fds), .sequence = 1}, "");
    EXPECT_EQ(
        peer.Read(bytes.substr(0, kFrameHeaderBytes)),
        fds > options.max_fds ? WireError::kTooManyFds : WireError::kNone);
  }
  return absl::OkStatus();
}

TEST(OptionsTest, P14_EveryNumberOfAFrameDecoder) {
  AtExtremes<FrameDecoderOptions>(
      [](FrameDecoderOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, max_frame_bytes, read_bytes, max_fds);
      },
      UseFrames);
}

}  // namespace
}  // namespace trolley::wire
