// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/message_head.h"

#include "google/protobuf/io/coded_stream.h"
#include "trolley/proto/link.pb.h"

namespace trolley::wire {
namespace {

using google::protobuf::io::CodedOutputStream;
using link::v1::Envelope;
using link::v1::Message;
using link::v1::Reply;
using link::v1::Value;

// All our field numbers are below 16. So a tag is one byte: the number of the
// field and the form of its value
// (https://protobuf.dev/programming-guides/encoding/).
constexpr size_t kTagBytes = 1;
constexpr char VarintTag(int field) { return static_cast<char>(field << 3); }
constexpr char LengthTag(int field) {
  return static_cast<char>(field << 3 | 2);
}

size_t VarintBytes(uint64_t value) {
  return CodedOutputStream::VarintSize64(value);
}
// The size of a field with `length` bytes of value; 0 if it is not written.
size_t LengthFieldBytes(size_t length) {
  return length == 0 ? 0 : kTagBytes + VarintBytes(length) + length;
}
size_t VarintFieldBytes(uint64_t value) {
  return value == 0 ? 0 : kTagBytes + VarintBytes(value);
}

void AppendVarint(uint64_t value, std::string* to) {
  uint8_t bytes[10];
  const uint8_t* end = CodedOutputStream::WriteVarint64ToArray(value, bytes);
  to->append(reinterpret_cast<const char*>(bytes), end - bytes);
}

void AppendVarintField(int field, uint64_t value, std::string* to) {
  if (value == 0) return;
  to->push_back(VarintTag(field));
  AppendVarint(value, to);
}

void AppendLength(int field, size_t length, std::string* to) {
  to->push_back(LengthTag(field));
  AppendVarint(length, to);
}

void AppendText(int field, absl::string_view text, std::string* to) {
  if (text.empty()) return;
  AppendLength(field, text.size(), to);
  to->append(text.data(), text.size());
}

}  // namespace

std::string EncodeRoute(absl::string_view target, absl::string_view type,
                        absl::string_view sender) {
  std::string route;
  AppendText(Message::kTargetFieldNumber, target, &route);
  AppendText(Message::kTypeFieldNumber, type, &route);
  AppendText(Message::kSenderFieldNumber, sender, &route);
  return route;
}

void AppendMessageHead(const MessageHead& head, std::string* to) {
  const auto remaining = static_cast<uint64_t>(head.remaining_ns);
  size_t bytes = head.route.size() + VarintFieldBytes(head.ask_id) +
                 VarintFieldBytes(remaining) +
                 LengthFieldBytes(head.traceparent.size()) +
                 LengthFieldBytes(head.payload_bytes);
  if (head.askers != nullptr) {
    for (const std::string& asker : *head.askers) {
      bytes += kTagBytes + VarintBytes(asker.size()) + asker.size();
    }
  }
  AppendLength(Envelope::kMessageFieldNumber, bytes, to);
  to->append(head.route.data(), head.route.size());
  AppendVarintField(Message::kAskIdFieldNumber, head.ask_id, to);
  AppendVarintField(Message::kRemainingNsFieldNumber, remaining, to);
  AppendText(Message::kTraceparentFieldNumber, head.traceparent, to);
  if (head.askers != nullptr) {
    for (const std::string& asker : *head.askers) {
      AppendLength(Message::kAskersFieldNumber, asker.size(), to);
      to->append(asker);
    }
  }
  if (head.payload_bytes == 0) return;
  AppendLength(Message::kPayloadFieldNumber, head.payload_bytes, to);
}

void AppendReplyHead(uint64_t ask_id, absl::string_view type,
                     size_t payload_bytes, std::string* to) {
  const size_t value =
      LengthFieldBytes(type.size()) + LengthFieldBytes(payload_bytes);
  const size_t reply =
      VarintFieldBytes(ask_id) + kTagBytes + VarintBytes(value) + value;
  AppendLength(Envelope::kReplyFieldNumber, reply, to);
  AppendVarintField(Reply::kAskIdFieldNumber, ask_id, to);
  AppendLength(Reply::kValueFieldNumber, value, to);
  AppendText(Value::kTypeFieldNumber, type, to);
  if (payload_bytes == 0) return;
  AppendLength(Value::kPayloadFieldNumber, payload_bytes, to);
}

}  // namespace trolley::wire
