// SPDX-License-Identifier: Apache-2.0
//
// MessageView: the Message of a DATA frame, read without a copy. Protobuf
// copies each text into a string of its own, and for a small message that costs
// more than all other work of a link. ViewMessage() reads only the form that
// every Protobuf serializer writes. For any other form the caller uses
// Protobuf, which decides whether the bytes are valid.
//
//   MessageView view;
//   if (!ViewMessage(bytes, view)) { parse an Envelope with Protobuf }
//
// Values: views into the bytes that were read. Any thread.
// Bounds:    holds a view for each asker and nothing else.

#ifndef TROLLEY_PROTO_MESSAGE_VIEW_H_
#define TROLLEY_PROTO_MESSAGE_VIEW_H_

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"

namespace trolley::wire {

// The fields of link.v1.Message (link.proto), without `sender`, which receivers
// do not use.
struct MessageView {
  absl::string_view target;
  absl::string_view type;
  absl::string_view payload;
  uint64_t ask_id = 0;
  int64_t remaining_ns = 0;
  absl::string_view traceparent;
  absl::InlinedVector<absl::string_view, 4> askers;
};

// Reads `envelope`, a serialized link.v1.Envelope, into `view`, which must be
// new. Returns true if all of these hold; then Protobuf would read the same:
//
//   - it contains one Message and nothing else;
//   - it has no unknown field, and each field except `askers` at most once;
//   - all texts are ASCII.
//
// False: parse it with Protobuf; it may still be valid.
bool ViewMessage(absl::string_view envelope, MessageView& view);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_MESSAGE_VIEW_H_
