// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/message_view.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "google/protobuf/io/coded_stream.h"
#include "trolley/proto/link.pb.h"

namespace trolley::wire {
namespace {

using google::protobuf::io::CodedInputStream;
using link::v1::Envelope;
using link::v1::Message;

// The tag before a field: its number and the form of its value
// (https://protobuf.dev/programming-guides/encoding/).
constexpr uint32_t VarintTag(uint32_t field) { return field << 3; }
constexpr uint32_t LengthTag(uint32_t field) { return field << 3 | 2; }

uint64_t WordAt(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

bool IsAscii(absl::string_view text) {
  uint64_t bits = 0;
  if (text.size() >= sizeof(bits)) {
    const char* last = text.data() + text.size() - sizeof(bits);
    for (const char* at = text.data(); at < last; at += sizeof(bits)) {
      bits |= WordAt(at);
    }
    bits |= WordAt(last);  // may overlap the word before
  } else {
    for (char c : text) bits |= static_cast<uint8_t>(c);
  }
  return (bits & 0x8080808080808080u) == 0;
}

bool ReadBytes(CodedInputStream& in, absl::string_view& to) {
  uint32_t length;
  if (!in.ReadVarint32(&length)) return false;
  const void* data = nullptr;
  int left = 0;
  in.GetDirectBufferPointerInline(&data, &left);
  if (length > static_cast<uint32_t>(left)) return false;
  to = absl::string_view(static_cast<const char*>(data), length);
  return in.Skip(static_cast<int>(length));
}

bool ReadText(CodedInputStream& in, absl::string_view& to) {
  return ReadBytes(in, to) && IsAscii(to);
}

}  // namespace

bool ViewMessage(absl::string_view envelope, MessageView& view) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(envelope.data()),
                      static_cast<int>(envelope.size()));
  uint32_t length = 0;
  if (in.ReadTag() != LengthTag(Envelope::kMessageFieldNumber) ||
      !in.ReadVarint32(&length) ||
      in.CurrentPosition() + int64_t{length} !=
          static_cast<int64_t>(envelope.size())) {
    return false;
  }
  uint32_t seen = 0;
  while (in.CurrentPosition() < static_cast<int>(envelope.size())) {
    const uint32_t tag = in.ReadTag();
    const uint32_t field = tag >> 3;
    if (field > Message::kAskersFieldNumber) return false;
    const uint32_t bit = uint32_t{1} << field;
    if ((seen & bit) != 0 && field != Message::kAskersFieldNumber) return false;
    seen |= bit;
    bool good = false;
    uint64_t number = 0;
    absl::string_view text;
    switch (tag) {
      case LengthTag(Message::kTargetFieldNumber):
        good = ReadText(in, view.target);
        break;
      case LengthTag(Message::kTypeFieldNumber):
        good = ReadText(in, view.type);
        break;
      case LengthTag(Message::kPayloadFieldNumber):
        good = ReadBytes(in, view.payload);
        break;
      case VarintTag(Message::kAskIdFieldNumber):
        good = in.ReadVarint64(&view.ask_id);
        break;
      case VarintTag(Message::kRemainingNsFieldNumber):
        good = in.ReadVarint64(&number);
        view.remaining_ns = static_cast<int64_t>(number);
        break;
      case LengthTag(Message::kTraceparentFieldNumber):
        good = ReadText(in, view.traceparent);
        break;
      case LengthTag(Message::kSenderFieldNumber):
        good = ReadText(in, text);
        break;
      case LengthTag(Message::kAskersFieldNumber):
        good = ReadText(in, text);
        view.askers.push_back(text);
        break;
      default:
        break;
    }
    if (!good) return false;
  }
  return true;
}

}  // namespace trolley::wire
