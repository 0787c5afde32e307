// SPDX-License-Identifier: Apache-2.0
//
// MessageView: the Message of a DATA frame, read where it lies. Parsing it as
// an Envelope copies each of its texts to a string of its own, which costs more
// than all else that a link does with a small message. What is not in the form
// that every serializer writes is left to Protobuf, which has the last word on
// what is good and what is not.
//
// Values: views into the bytes they were read from. Any thread.
// Bounds:    holds no more than those bytes, and a view for each asker.

#ifndef TROLLEY_PROTO_MESSAGE_VIEW_H_
#define TROLLEY_PROTO_MESSAGE_VIEW_H_

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"

namespace trolley::wire {

// The fields of link.v1.Message (link.proto), but for `sender`, which nobody
// here reads.
struct MessageView {
  absl::string_view target;
  absl::string_view type;
  absl::string_view payload;
  uint64_t ask_id = 0;
  int64_t remaining_ns = 0;
  absl::string_view traceparent;
  absl::InlinedVector<absl::string_view, 4> askers;
};

// Reads `envelope`, a serialized link.v1.Envelope, into a fresh `view`. True:
// it holds one Message and nothing else, each field but `askers` at most once
// and none unknown, all texts ASCII, and parsing it gives the same. False: ask
// Protobuf; it may be good all the same.
bool ViewMessage(absl::string_view envelope, MessageView& view);

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_MESSAGE_VIEW_H_
