// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/frame_decoder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trolley/proto/crc32c.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/little_endian.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {
namespace {

using internal::LoadLittleEndian;

constexpr size_t kCrcOffset = 20;

bool HeaderCrcMatches(std::string_view header) {
  // mutant: P14_AHeaderWithAWrongChecksumIsTaken
  return Crc32c(header.substr(0, kCrcOffset)) ==
         LoadLittleEndian<uint32_t>(header.data() + kCrcOffset);
}

FrameHeader ParseHeader(std::string_view bytes) {
  FrameHeader header;
  header.length = LoadLittleEndian<uint32_t>(bytes.data());
  header.type =
      static_cast<FrameType>(LoadLittleEndian<uint8_t>(bytes.data() + 4));
  header.flags = LoadLittleEndian<uint8_t>(bytes.data() + 5);
  header.fd_count = LoadLittleEndian<uint8_t>(bytes.data() + 6);
  header.stream = LoadLittleEndian<uint32_t>(bytes.data() + 8);
  header.sequence = LoadLittleEndian<uint64_t>(bytes.data() + 12);
  return header;
}

// True if `prefix`, the first bytes of a stream, can be the start of a header
// of version 1. If not, the error is reported now: a peer of another protocol
// may never send 24 bytes.
bool MayBecomeHeader(std::string_view prefix, uint32_t max_frame_bytes) {
  if (prefix.size() >= 4 &&
      LoadLittleEndian<uint32_t>(prefix.data()) > max_frame_bytes) {
    return false;
  }
  const auto type = prefix.size() > 4 ? static_cast<uint8_t>(prefix[4]) : 2;
  if (type < static_cast<uint8_t>(FrameType::kData) ||
      type > static_cast<uint8_t>(FrameType::kError)) {
    return false;
  }
  return prefix.size() <= 7 || prefix[7] == 0;
}

// The payload lengths that a type may have in version 1, in bytes.
struct Lengths {
  uint32_t least;
  uint32_t most;
};

inline std::optional<Lengths> LengthsOf(FrameType type,
                                        uint32_t max_frame_bytes) {
  switch (type) {
    case FrameType::kData:
      return Lengths{0, max_frame_bytes};
    case FrameType::kCredit:
      return Lengths{4, 4};
    case FrameType::kPing:
    case FrameType::kPong:
      return Lengths{8, 8};
    case FrameType::kGoAway:
      return Lengths{8, 8 + kMaxControlTextBytes};
    case FrameType::kError:
      return Lengths{2, 2 + kMaxControlTextBytes};
    case FrameType::kHello:
    case FrameType::kBind:
    case FrameType::kUnbind:
    case FrameType::kGap:
      return std::nullopt;
  }
  return std::nullopt;
}

absl::Status WrongStart(std::string_view prefix) {
  const std::string_view shown = prefix.substr(0, kHelloMagic.size());
  return MakeWireError(
      WireError::kBadMagic,
      absl::StrCat(
          "the peer does not speak the Trolleybus link protocol; its "
          "first bytes are \"",
          absl::CHexEscape(absl::string_view(shown.data(), shown.size())),
          "\""));
}

}  // namespace

FrameDecoder::FrameDecoder(const FrameDecoderOptions& options)
    : options_(options),
      buffer_(kFrameHeaderBytes + size_t{options.max_frame_bytes} +
                  kPayloadCrcBytes + ReadBytesOf(options.read_bytes),
              ReadBytesOf(options.read_bytes)) {}

absl::Span<char> FrameDecoder::PrepareRead() {
  if (!error_.ok()) return {};
  const absl::Span<char> room = buffer_.Prepare();
  if (!header_.has_value()) return room;
  // Reads only the rest of a long frame. Bytes after it would have to be moved
  // to the front of the buffer before the next read.
  const size_t frame_bytes = kFrameHeaderBytes + size_t{header_->length} +
                             PayloadCrcBytes(header_->type);
  const size_t missing = frame_bytes - buffer_.held().size();
  return missing < options_.read_bytes ? room : room.subspan(0, missing);
}

void FrameDecoder::Commit(size_t bytes) {
  buffer_.Commit(bytes);
  bytes_received_ += bytes;
}

size_t FrameDecoder::Feed(std::string_view bytes) {
  if (!error_.ok()) return 0;
  const size_t taken = buffer_.Append(bytes);
  bytes_received_ += taken;
  return taken;
}

absl::Status FrameDecoder::Fail(absl::Status error) {
  // mutant: P14_TheFirstErrorIsForgotten
  error_ = std::move(error);
  return error_;
}

absl::StatusOr<std::optional<Hello>> FrameDecoder::NextHello() {
  if (!error_.ok()) return error_;
  if (hello_.has_value()) return hello_;
  const std::string_view held = buffer_.held();
  const std::string_view start = held.substr(0, kHelloMagic.size());
  if (start != kHelloMagic.substr(0, start.size())) {
    if (!MayBecomeHeader(held, options_.max_frame_bytes)) {
      return Fail(WrongStart(held));
    }
    if (held.size() < kFrameHeaderBytes) return std::nullopt;
    if (!HeaderCrcMatches(held.substr(0, kFrameHeaderBytes))) {
      return Fail(WrongStart(held));
    }
    return Fail(MakeWireError(
        WireError::kFrameBeforeHello,
        absl::StrCat(FrameTypeName(ParseHeader(held).type),
                     " frame came where the 32 bytes of a Hello must be")));
  }
  if (held.size() < kHelloBytes) return std::nullopt;
  absl::StatusOr<Hello> hello = DecodeHello(held.substr(0, kHelloBytes));
  if (!hello.ok()) return Fail(hello.status());
  buffer_.Consume(kHelloBytes);
  hello_ = *hello;
  return hello_;
}

void FrameDecoder::Begin(const Agreement& agreement) {
  begun_ = hello_.has_value();
  payload_crc_ = agreement.payload_crc();
}

absl::Status FrameDecoder::CheckHeader(const FrameHeader& header,
                                       uint8_t reserved) const {
  if (header.type == FrameType::kHello) {
    return MakeWireError(WireError::kDuplicateHello,
                         "HELLO frame; the Hello comes once, unframed");
  }
  // mutant: P14_ReservedBitsAreIgnored
  if (reserved != 0 || (header.flags & ~kFlagOptional) != 0) {
    return MakeWireError(
        WireError::kReservedBits,
        absl::StrCat(FrameTypeName(header.type), " frame with flags 0x",
                     absl::Hex(header.flags), " and reserved byte 0x",
                     absl::Hex(reserved), "; only flag 0x1 has a meaning"));
  }
  // mutant: P14_AFrameOfAnyLengthIsTaken, P14_TheLongestFrameIsRefused
  if (header.length > options_.max_frame_bytes) {
    return MakeWireError(
        WireError::kFrameTooLong,
        absl::StrCat(FrameTypeName(header.type), " frame of ", header.length,
                     " bytes; at most ", options_.max_frame_bytes,
                     " are accepted (max_frame_bytes)"));
  }
  // mutant: P14_AnyNumberOfDescriptorsIsTaken
  if (header.fd_count > options_.max_fds) {
    return MakeWireError(
        WireError::kTooManyFds,
        absl::StrCat(FrameTypeName(header.type), " frame with ",
                     header.fd_count, " descriptors; at most ",
                     options_.max_fds, " are accepted (max_fds)"));
  }
  const std::optional<Lengths> lengths =
      LengthsOf(header.type, options_.max_frame_bytes);
  if (!lengths.has_value()) {
    // mutant: P14_ACriticalFrameOfUnknownTypeIsSkipped
    if ((header.flags & kFlagOptional) != 0) return absl::OkStatus();
    return MakeWireError(
        WireError::kUnknownType,
        absl::StrCat(FrameTypeName(header.type),
                     " frame, which version 1 does not know, without the "
                     "OPTIONAL flag"));
  }
  if (header.length < lengths->least || header.length > lengths->most) {
    return MakeWireError(
        WireError::kBadLength,
        absl::StrCat(FrameTypeName(header.type), " frame of ", header.length,
                     " bytes; it has ", lengths->least, " to ", lengths->most));
  }
  if (header.stream != 0) {
    return MakeWireError(
        WireError::kUnknownStream,
        absl::StrCat(FrameTypeName(header.type), " frame on stream ",
                     header.stream, ", which is not open"));
  }
  const uint64_t expected =
      header.type == FrameType::kData ? last_sequence_ + 1 : 0;
  // mutant: P14_SequenceNumbersAreIgnored
  if (header.sequence != expected) {
    return MakeWireError(
        WireError::kBadSequence,
        absl::StrCat(FrameTypeName(header.type), " frame with sequence number ",
                     header.sequence, " where ", expected, " must be"));
  }
  return absl::OkStatus();
}

// An ERROR frame has no checksum: the peer may have sent it before both sides
// agreed on one.
size_t FrameDecoder::PayloadCrcBytes(FrameType type) const {
  return payload_crc_ && type != FrameType::kError ? kPayloadCrcBytes : 0;
}

// Drops the bytes of a skipped frame that have arrived. True: all are dropped.
bool FrameDecoder::SkipPayload() {
  const uint64_t part = std::min<uint64_t>(skip_bytes_, buffer_.held().size());
  buffer_.Consume(static_cast<size_t>(part));
  skip_bytes_ -= part;
  return skip_bytes_ == 0;
}

absl::StatusOr<std::optional<Frame>> FrameDecoder::NextFrame() {
  if (!error_.ok()) return error_;
  if (!begun_) return std::nullopt;
  while (!header_.has_value()) {
    // mutant: P14_ASkippedFrameIsHeld
    if (!SkipPayload()) return std::nullopt;
    const std::string_view held = buffer_.held();
    if (held.size() < kFrameHeaderBytes) return std::nullopt;
    if (held.starts_with(kHelloMagic)) {
      return Fail(MakeWireError(WireError::kDuplicateHello,
                                "a second Hello on one connection"));
    }
    if (!HeaderCrcMatches(held.substr(0, kFrameHeaderBytes))) {
      return Fail(MakeWireError(
          WireError::kBadHeaderCrc,
          "the checksum of a frame header is wrong: bytes were lost, damaged "
          "or mixed with another writer's"));
    }
    const FrameHeader header = ParseHeader(held);
    absl::Status valid =
        CheckHeader(header, LoadLittleEndian<uint8_t>(held.data() + 7));
    if (!valid.ok()) return Fail(std::move(valid));
    if (LengthsOf(header.type, options_.max_frame_bytes).has_value()) {
      // mutant: P14_MemoryFollowsTheClaimOfAHeader
      header_ = header;
    } else {
      buffer_.Consume(kFrameHeaderBytes);
      skip_bytes_ = header.length + PayloadCrcBytes(header.type);
      skip_length_ = skip_bytes_;
      ++frames_skipped_;
    }
  }
  const size_t crc_bytes = PayloadCrcBytes(header_->type);
  const size_t payload_end = kFrameHeaderBytes + header_->length;
  const size_t frame_bytes = payload_end + crc_bytes;
  const std::string_view held = buffer_.held();
  if (held.size() < frame_bytes) return std::nullopt;
  Frame frame;
  frame.header = *header_;
  frame.payload = held.substr(kFrameHeaderBytes, header_->length);
  // mutant: P14_APayloadWithAWrongChecksumIsTaken
  if (crc_bytes > 0 &&
      Crc32c(frame.payload) !=
          LoadLittleEndian<uint32_t>(held.data() + payload_end)) {
    return Fail(MakeWireError(
        WireError::kBadPayloadCrc,
        absl::StrCat("the payload of the ", FrameTypeName(frame.header.type),
                     " frame of ", frame.header.length,
                     " bytes does not match its checksum")));
  }
  if (frame.header.type == FrameType::kData) {
    last_sequence_ = frame.header.sequence;
  }
  header_.reset();
  buffer_.Consume(frame_bytes);
  return frame;
}

absl::Status FrameDecoder::AtEnd() const {
  // mutant: P14_EveryEndIsClean
  if (!error_.ok()) return error_;
  const size_t held = buffer_.held().size();
  if (!hello_.has_value()) {
    return MakeWireError(WireError::kTorn,
                         absl::StrCat("the stream ended in the Hello, after ",
                                      held, " of ", kHelloBytes, " bytes"));
  }
  if (skip_bytes_ > 0) {
    return MakeWireError(
        WireError::kTorn,
        absl::StrCat("the stream ended in a skipped frame, after ",
                     skip_length_ - skip_bytes_, " of ", skip_length_,
                     " bytes after its header"));
  }
  if (header_.has_value()) {
    return MakeWireError(
        WireError::kTorn,
        absl::StrCat("the stream ended in the ", FrameTypeName(header_->type),
                     " frame with sequence number ", header_->sequence,
                     ", after ", held, " of ",
                     kFrameHeaderBytes + header_->length +
                         PayloadCrcBytes(header_->type),
                     " bytes"));
  }
  if (held > 0) {
    return MakeWireError(
        WireError::kTorn,
        absl::StrCat("the stream ended in a frame header, after ", held, " of ",
                     kFrameHeaderBytes, " bytes"));
  }
  return absl::OkStatus();
}

}  // namespace trolley::wire
