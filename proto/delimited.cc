// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/delimited.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {
namespace {

struct Varint {
  enum class State { kIncomplete, kBad, kOk };
  State state = State::kIncomplete;
  uint32_t value = 0;
  size_t bytes = 0;
};

Varint ParseVarint(std::string_view held) {
  uint64_t value = 0;
  for (size_t i = 0; i < held.size() && i < kMaxVarintBytes; ++i) {
    const auto byte = static_cast<uint8_t>(held[i]);
    value |= uint64_t{byte & 0x7Fu} << (7 * i);
    if ((byte & 0x80) != 0) continue;
    if (value > UINT32_MAX) return {.state = Varint::State::kBad};
    return {.state = Varint::State::kOk,
            .value = static_cast<uint32_t>(value),
            .bytes = i + 1};
  }
  return {.state = held.size() < kMaxVarintBytes ? Varint::State::kIncomplete
                                                 : Varint::State::kBad};
}

absl::Status TooLong(uint64_t bytes, uint32_t limit, std::string_view what) {
  return MakeWireError(WireError::kMessageTooLong,
                       absl::StrCat(absl::string_view(what.data(), what.size()),
                                    " of ", bytes, " bytes; at most ", limit,
                                    " are accepted (max_message_bytes)"));
}

}  // namespace

DelimitedDecoder::DelimitedDecoder(const DelimitedDecoderOptions& options)
    : max_message_bytes_(options.max_message_bytes),
      buffer_(kMaxVarintBytes + size_t{options.max_message_bytes} +
                  ReadBytesOf(options.read_bytes),
              ReadBytesOf(options.read_bytes)) {}

absl::Span<char> DelimitedDecoder::PrepareRead() {
  if (!error_.ok()) return {};
  return buffer_.Prepare();
}

size_t DelimitedDecoder::Feed(std::string_view bytes) {
  if (!error_.ok()) return 0;
  return buffer_.Append(bytes);
}

absl::StatusOr<std::optional<std::string_view>> DelimitedDecoder::Next() {
  if (!error_.ok()) return error_;
  const std::string_view held = buffer_.held();
  const Varint length = ParseVarint(held);
  if (length.state == Varint::State::kBad) {
    error_ = MakeWireError(
        WireError::kBadVarint,
        absl::StrCat("the length before message ", messages_ + 1,
                     " is no 32-bit varint; is this a delimited stream?"));
    return error_;
  }
  if (length.state == Varint::State::kIncomplete) return std::nullopt;
  if (length.value > max_message_bytes_) {
    error_ = TooLong(length.value, max_message_bytes_,
                     absl::StrCat("message ", messages_ + 1));
    return error_;
  }
  if (held.size() < length.bytes + length.value) return std::nullopt;
  buffer_.Consume(length.bytes + length.value);
  ++messages_;
  return held.substr(length.bytes, length.value);
}

absl::Status DelimitedDecoder::AtEnd() const {
  if (!error_.ok()) return error_;
  const std::string_view held = buffer_.held();
  if (held.empty()) return absl::OkStatus();
  const Varint length = ParseVarint(held);
  if (length.state != Varint::State::kOk) {
    return MakeWireError(
        WireError::kTorn,
        absl::StrCat("the stream ended in the length before message ",
                     messages_ + 1));
  }
  return MakeWireError(
      WireError::kTorn,
      absl::StrCat("the stream ended in message ", messages_ + 1, ", after ",
                   held.size() - length.bytes, " of ", length.value, " bytes"));
}

absl::Status AppendDelimited(std::string_view payload, std::string* out,
                             uint32_t max_message_bytes) {
  if (payload.size() > max_message_bytes) {
    return TooLong(payload.size(), max_message_bytes, "a message");
  }
  auto rest = static_cast<uint32_t>(payload.size());
  while (rest >= 0x80) {
    out->push_back(static_cast<char>(0x80 | (rest & 0x7F)));
    rest >>= 7;
  }
  out->push_back(static_cast<char>(rest));
  out->append(payload);
  return absl::OkStatus();
}

}  // namespace trolley::wire
