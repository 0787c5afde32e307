// SPDX-License-Identifier: Apache-2.0
//
// Control messages: what the loops of a bus tell each other about actors. A
// control message waits in the control lane, or is a reply with a status. The
// receiver knows its type by the MessageOps:
//
//   router.Send(ControlEnvelope(e, target, StopRequest{.drain = true}));
//   if (e->ops == &kControlMessage<StopRequest>) ...
//
// Ownership: the envelope owns the payload.
// Threads:   the thread that owns the envelope.

#ifndef TROLLEY_BUS_MESSAGE_CONTROL_ENVELOPE_H_
#define TROLLEY_BUS_MESSAGE_CONTROL_ENVELOPE_H_

#include <utility>

#include "absl/status/status.h"
#include "trolley/bus/message/envelope.h"

namespace trolley::internal {

// The MessageOps of a control message T.
template <typename T>
inline constexpr MessageOps kControlMessage = {
    .deliver = nullptr,
    .drop = [](Envelope* envelope) { envelope->payload<T>().~T(); },
    .answer = nullptr,
    .name = [] { return absl::string_view("control"); },
};

// A reply that is an absl::Status.
inline constexpr const MessageOps& kStatusReply = kControlMessage<absl::Status>;

// Makes `status` the reply, in the place of the payload.
inline void AnswerWithStatus(Envelope* envelope, absl::Status status) {
  envelope->Emplace<absl::Status>(std::move(status));
  envelope->ops = &kStatusReply;
  envelope->flags |= Envelope::kIsReply;
}

// Makes `envelope` a control message for `target`. It must be large enough for
// a T.
template <typename T>
Envelope* ControlEnvelope(Envelope* envelope, ActorId target, T payload) {
  envelope->target = target;
  envelope->ops = &kControlMessage<T>;
  envelope->Emplace<T>(std::move(payload));
  return envelope;
}

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MESSAGE_CONTROL_ENVELOPE_H_
