// SPDX-License-Identifier: Apache-2.0
//
// WireMethod: one type of message that a class of actors takes as bytes, from
// links and tools. actors/wire_methods.h makes these for Protobuf types; the
// bus does not know the encoding.
//
// Static, immutable; any thread.

#ifndef TROLLEY_BUS_MAILBOX_WIRE_METHOD_H_
#define TROLLEY_BUS_MAILBOX_WIRE_METHOD_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "trolley/bus/message/envelope.h"

namespace trolley::internal {

struct WireMethod {
  // The full name of the message's type.
  absl::string_view (*message_type)();
  // The full name of the reply's type. Empty: the reply has no content, or
  // cannot leave the process.
  std::string (*reply_type)();

  // The reply is an absl::StatusOr<WireMessage> (actors/wire_methods.h).
  const MessageOps* ops;
  // Large enough for the message and for the reply (Envelope::BytesFor).
  size_t envelope_bytes;
  // Builds the payload in `envelope` from its encoding. False: `bytes` do not
  // parse, and there is no payload.
  bool (*parse)(Envelope* envelope, absl::string_view bytes);
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_WIRE_METHOD_H_
