// SPDX-License-Identifier: Apache-2.0
//
// What stands before the payload in a DATA frame: the Envelope that Protobuf
// would write (link.proto), but for the payload itself, which comes last and is
// not copied into a message first to be written from there.
//
// Pure functions: any thread. What they append is as large as what they are
// given, and 64 bytes.

#ifndef TROLLEY_PROTO_MESSAGE_HEAD_H_
#define TROLLEY_PROTO_MESSAGE_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace trolley::wire {

// A link.v1.Message. Fields that are 0 or empty are left out, as ever.
struct MessageHead {
  // The fields that many messages share, as EncodeRoute() writes them.
  absl::string_view route;
  uint64_t ask_id = 0;
  int64_t remaining_ns = 0;
  absl::string_view traceparent;
  const std::vector<std::string>* askers = nullptr;
  size_t payload_bytes = 0;
};

std::string EncodeRoute(absl::string_view target, absl::string_view type,
                        absl::string_view sender);

// The payload follows.
void AppendMessageHead(const MessageHead& head, std::string* to);

// A link.v1.Reply with a Value of this type, whose payload follows.
void AppendReplyHead(uint64_t ask_id, absl::string_view type,
                     size_t payload_bytes, std::string* to);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_MESSAGE_HEAD_H_
