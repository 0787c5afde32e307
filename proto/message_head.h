// SPDX-License-Identifier: Apache-2.0
//
// Writes the bytes before the payload in a DATA frame. They are the bytes that
// Protobuf would write for an Envelope (link.proto). The payload follows as the
// last field, so it need not be copied into a Protobuf message first.
//
// Pure functions: any thread. They append as many bytes as they are given, at
// most 64 more, and at most 6 more for each asker.

#ifndef TROLLEY_PROTO_MESSAGE_HEAD_H_
#define TROLLEY_PROTO_MESSAGE_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace trolley::wire {

// The fields of a link.v1.Message. As in Protobuf, fields that are 0 or empty
// are not written.
struct MessageHead {
  // The fields that many messages have in common, as EncodeRoute() writes them.
  absl::string_view route;
  uint64_t ask_id = 0;
  int64_t remaining_ns = 0;
  absl::string_view traceparent;
  const std::vector<std::string>* askers = nullptr;
  size_t payload_bytes = 0;
};

std::string EncodeRoute(absl::string_view target, absl::string_view type,
                        absl::string_view sender);

// Appends the head of a Message. The caller appends the payload.
void AppendMessageHead(const MessageHead& head, std::string* to);

// Appends the head of a link.v1.Reply with a Value of this type. The caller
// appends the payload.
void AppendReplyHead(uint64_t ask_id, absl::string_view type,
                     size_t payload_bytes, std::string* to);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_MESSAGE_HEAD_H_
