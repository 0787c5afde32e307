// SPDX-License-Identifier: Apache-2.0
//
// The messages of the control lane, which a loop handles itself. They are told
// from one another by their MessageType.
//
// Values, owned by their envelope; any thread. Inside bus/ and actors/ only.

#ifndef TROLLEY_BUS_CONTROL_MESSAGES_H_
#define TROLLEY_BUS_CONTROL_MESSAGES_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "trolley/bus/actor_base.h"
#include "trolley/bus/actor_class.h"
#include "trolley/bus/ask_key.h"
#include "trolley/bus/early_requests.h"
#include "trolley/bus/envelope.h"
#include "trolley/bus/options.h"

namespace trolley {

// Brings an actor to the cell that was reserved for it.
struct SpawnRequest {
  std::unique_ptr<ActorBase> actor;
  const ActorClass* actor_class;
  SpawnOptions options;
  uint64_t start_sequence;
  std::unique_ptr<EarlyRequests> early;  // null: none
};

// Frees the cell of an actor whose constructor threw.
struct AbandonRequest {};

// Ends an actor.
struct StopRequest {
  bool drain = false;  // true: after it has handled what is queued
};

// An ask for one place in a full mailbox. The reply is an absl::Status; OK
// hands the place to the asker.
struct RoomRequest {
  // Of all that wait, in the one that has waited longest: how many they are,
  // and the places that are kept for them.
  uint32_t senders = 0;
  uint32_t places = 0;
};

// A place that was handed to an asker who had ended by then: for the next one.
struct ReturnedPlace {};

template <typename T>
void DropPayload(Envelope* envelope) {
  envelope->payload<T>().~T();
}

inline void AnswerWithStatus(Envelope* envelope, absl::Status status);

template <typename T>
inline constexpr MessageType kControlMessage = {
    .deliver = nullptr,
    .drop = &DropPayload<T>,
    .answer = nullptr,
    .name = [] { return absl::string_view("control"); },
};

inline constexpr MessageType kStatusReply = kControlMessage<absl::Status>;

inline void AnswerWithStatus(Envelope* envelope, absl::Status status) {
  envelope->Emplace<absl::Status>(std::move(status));
  envelope->type = &kStatusReply;
  envelope->marks |= Envelope::kIsReply;
}

template <>
inline constexpr MessageType kControlMessage<RoomRequest> = {
    .deliver = nullptr,
    .drop = &DropPayload<RoomRequest>,
    .answer = &AnswerWithStatus,
    .name = [] { return absl::string_view("room request"); },
};

// A message for the control lane of `target`.
template <typename T>
Envelope* ControlEnvelope(Envelope* envelope, ActorId target, T payload) {
  envelope->target = target;
  envelope->type = &kControlMessage<T>;
  envelope->Emplace<T>(std::move(payload));
  return envelope;
}

}  // namespace trolley

#endif  // TROLLEY_BUS_CONTROL_MESSAGES_H_
