// SPDX-License-Identifier: Apache-2.0
//
// SeatRecord: what a loop keeps of a seat, beside the cell: how to make the
// next actor that sits there, and the party that is told (actors/seat.h).
//
// The cell of a seat is never without an actor. While the seat is empty, an
// EmptySeat stands in for the object: it is busy, so that messages wait.
//
// Ownership: ActorLifecycle.
// Threads:   loop thread only, once the loop has it.
// Bounds:    one for each seat.
// Ends:      when the seat closes, or with its loop.

#ifndef TROLLEY_BUS_LOOP_SEAT_RECORD_H_
#define TROLLEY_BUS_LOOP_SEAT_RECORD_H_

#include <cstdint>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "trolley/bus/exit_reason.h"
#include "trolley/bus/loop/early_requests.h"
#include "trolley/bus/mailbox/actor_base.h"

namespace trolley::internal {

// An actor that was made on its loop, and what its constructor asked for.
struct MadeActor {
  std::unique_ptr<ActorBase> actor;
  std::unique_ptr<EarlyRequests> early;  // null: nothing
};

struct SeatEvent {
  bool taken = false;  // false: the seat is empty
  uint64_t round = 0;
  ExitReason reason;  // of the object that has left the seat
};

struct SeatRecord {
  // Makes the next object for the actor of that id. May throw.
  absl::AnyInvocable<MadeActor(ActorId)> make;
  absl::AnyInvocable<void(const SeatEvent&)> tell;
  uint64_t wanted = 0;  // the last round that was asked for
  uint64_t round = 0;   // of the last object
};

// What sits in an empty seat.
class EmptySeat final : public ActorBase {};

// Control messages of the owner of a seat.
struct FillRequest {
  uint64_t round;
};
struct DropMessagesRequest {};
struct CloseSeatRequest {
  bool owner_ended;  // that is why it is closed
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_SEAT_RECORD_H_
