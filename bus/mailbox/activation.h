// SPDX-License-Identifier: Apache-2.0
//
// Activation: the actor that runs on a loop and the message that it handles. A
// message that is sent now has this actor as its sender and this message as its
// cause.
//
// A value; loop thread only.

#ifndef TROLLEY_BUS_MAILBOX_ACTIVATION_H_
#define TROLLEY_BUS_MAILBOX_ACTIVATION_H_

#include "trolley/bus/actor_id.h"

namespace trolley::internal {

struct Cell;
struct Envelope;
class SuspendedHandler;

struct Activation {
  Cell* cell = nullptr;  // null: no actor runs, or one is being constructed
  ActorId self;          // its id; empty if no actor runs
  Envelope* envelope = nullptr;         // null: no message is in hand
  SuspendedHandler* handler = nullptr;  // of the coroutine that runs, if any
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_ACTIVATION_H_
