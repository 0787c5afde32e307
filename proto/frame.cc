// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/frame.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trolley/proto/crc32c.h"
#include "trolley/proto/little_endian.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {
namespace {

using internal::LoadLittleEndian;
using internal::StoreLittleEndian;

template <typename T>
std::string LittleEndian(T value) {
  std::string bytes(sizeof(T), '\0');
  StoreLittleEndian(value, bytes.data());
  return bytes;
}

void AppendHeader(const FrameHeader& header, std::string* out) {
  char bytes[kFrameHeaderBytes];
  EncodeFrameHeader(header, bytes);
  out->append(bytes, sizeof(bytes));
}

// Escapes a text of the peer, because it is shown in logs and on terminals.
std::string Printable(std::string_view text) {
  return absl::CHexEscape(absl::string_view(text.data(), text.size()));
}

absl::Status BadLength(FrameType type, std::string_view payload) {
  return MakeWireError(WireError::kBadLength,
                       absl::StrCat(FrameTypeName(type), " frame of ",
                                    payload.size(), " bytes"));
}

}  // namespace

std::string FrameTypeName(FrameType type) {
  switch (type) {
    case FrameType::kHello:
      return "HELLO";
    case FrameType::kData:
      return "DATA";
    case FrameType::kCredit:
      return "CREDIT";
    case FrameType::kPing:
      return "PING";
    case FrameType::kPong:
      return "PONG";
    case FrameType::kBind:
      return "BIND";
    case FrameType::kUnbind:
      return "UNBIND";
    case FrameType::kGap:
      return "GAP";
    case FrameType::kGoAway:
      return "GOAWAY";
    case FrameType::kError:
      return "ERROR";
  }
  return absl::StrCat("type ", static_cast<int>(type));
}

void EncodeFrameHeader(const FrameHeader& header, char* out) {
  StoreLittleEndian(header.length, out);
  StoreLittleEndian(static_cast<uint8_t>(header.type), out + 4);
  StoreLittleEndian(header.flags, out + 5);
  StoreLittleEndian(header.fd_count, out + 6);
  StoreLittleEndian(uint8_t{0}, out + 7);
  StoreLittleEndian(header.stream, out + 8);
  StoreLittleEndian(header.sequence, out + 12);
  StoreLittleEndian(Crc32c(std::string_view(out, 20)), out + 20);
}

absl::StatusOr<FrameHeader> FrameEncoder::NextData(size_t payload_bytes) {
  if (payload_bytes > agreement_.send_max_frame_bytes) {
    return MakeWireError(WireError::kFrameTooLong,
                         absl::StrCat("DATA frame of ", payload_bytes,
                                      " bytes; the peer accepts ",
                                      agreement_.send_max_frame_bytes,
                                      " (its max_frame_bytes)"));
  }
  FrameHeader header;
  header.length = static_cast<uint32_t>(payload_bytes);
  header.type = FrameType::kData;
  header.sequence = ++last_sequence_;
  return header;
}

absl::StatusOr<uint64_t> FrameEncoder::AppendData(std::string_view payload,
                                                  std::string* out) {
  absl::StatusOr<FrameHeader> header = NextData(payload.size());
  if (!header.ok()) return header.status();
  AppendHeader(*header, out);
  out->append(payload);
  if (agreement_.payload_crc()) out->append(LittleEndian(Crc32c(payload)));
  return header->sequence;
}

absl::StatusOr<uint64_t> FrameEncoder::AppendDataHeader(size_t payload_bytes,
                                                        std::string* out) {
  absl::StatusOr<FrameHeader> header = NextData(payload_bytes);
  if (!header.ok()) return header.status();
  AppendHeader(*header, out);
  return header->sequence;
}

void FrameEncoder::AppendControl(FrameType type, std::string_view payload,
                                 std::string* out) const {
  FrameHeader header;
  header.length = static_cast<uint32_t>(payload.size());
  header.type = type;
  AppendHeader(header, out);
  out->append(payload);
  if (agreement_.payload_crc()) out->append(LittleEndian(Crc32c(payload)));
}

void FrameEncoder::AppendCredit(uint32_t bytes, std::string* out) const {
  AppendControl(FrameType::kCredit, LittleEndian(bytes), out);
}

void FrameEncoder::AppendPing(uint64_t token, std::string* out) const {
  AppendControl(FrameType::kPing, LittleEndian(token), out);
}

void FrameEncoder::AppendPong(uint64_t token, std::string* out) const {
  AppendControl(FrameType::kPong, LittleEndian(token), out);
}

void FrameEncoder::AppendGoAway(uint64_t last_sequence, std::string_view text,
                                std::string* out) const {
  std::string payload = LittleEndian(last_sequence);
  payload.append(text.substr(0, kMaxControlTextBytes));
  AppendControl(FrameType::kGoAway, payload, out);
}

void AppendErrorFrame(WireError error, std::string_view text,
                      std::string* out) {
  std::string payload = LittleEndian(static_cast<uint16_t>(error));
  payload.append(text.substr(0, kMaxControlTextBytes));
  FrameHeader header;
  header.length = static_cast<uint32_t>(payload.size());
  header.type = FrameType::kError;
  AppendHeader(header, out);
  out->append(payload);
}

bool AppendErrorFrame(const absl::Status& status, std::string* out) {
  const WireError error = WireErrorOf(status);
  if (error == WireError::kNone) return false;
  // Removes the name of the error from the text: the frame has its number, and
  // the reader puts the name in front again.
  const std::string prefix = absl::StrCat(WireErrorName(error), ": ");
  std::string_view text(status.message().data(), status.message().size());
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  AppendErrorFrame(error, text, out);
  return true;
}

absl::StatusOr<uint32_t> DecodeCredit(std::string_view payload) {
  if (payload.size() != 4) return BadLength(FrameType::kCredit, payload);
  return LoadLittleEndian<uint32_t>(payload.data());
}

absl::StatusOr<uint64_t> DecodePing(std::string_view payload) {
  if (payload.size() != 8) return BadLength(FrameType::kPing, payload);
  return LoadLittleEndian<uint64_t>(payload.data());
}

absl::StatusOr<GoAway> DecodeGoAway(std::string_view payload) {
  if (payload.size() < 8 || payload.size() > 8 + kMaxControlTextBytes) {
    return BadLength(FrameType::kGoAway, payload);
  }
  GoAway go_away;
  go_away.last_sequence = LoadLittleEndian<uint64_t>(payload.data());
  go_away.text = Printable(payload.substr(8));
  return go_away;
}

absl::Status DecodeError(std::string_view payload) {
  if (payload.size() < 2 || payload.size() > 2 + kMaxControlTextBytes) {
    return BadLength(FrameType::kError, payload);
  }
  const auto error =
      static_cast<WireError>(LoadLittleEndian<uint16_t>(payload.data()));
  return MakeWireError(
      error, absl::StrCat("the peer said: ", Printable(payload.substr(2))));
}

}  // namespace trolley::wire
