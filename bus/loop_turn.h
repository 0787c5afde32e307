// SPDX-License-Identifier: Apache-2.0
//
// LoopTurn: whose slice it is, or was last in this turn of a loop, and its
// message. What is sent is sent by that actor, because of that message.
//
// A value; loop thread only.

#ifndef TROLLEY_BUS_LOOP_TURN_H_
#define TROLLEY_BUS_LOOP_TURN_H_

#include "trolley/bus/actor_id.h"

namespace trolley {

struct Cell;
struct Envelope;
class SuspendedHandler;

struct LoopTurn {
  Cell* cell = nullptr;  // null: it is being constructed, or there is none
  ActorId self;          // the actor; nobody
  Envelope* envelope = nullptr;         // null: no message is in hand
  SuspendedHandler* handler = nullptr;  // of a coroutine handler
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LOOP_TURN_H_
