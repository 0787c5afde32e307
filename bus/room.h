// SPDX-License-Identifier: Apache-2.0
//
// Room: where the place of a message goes that has been handled: to a sender
// that waits for room (a RoomRequest, bus/control_messages.h), else to the
// places that the loop holds, and from there to everybody.
//
// To wake a sender for each place that comes free would cost more than the
// messages. So places are kept for those that wait until they are a quarter of
// the mailbox, or the actor has nothing left to do. In the first case only some
// of those that wait are woken, as these will fill it again; what is queued is
// to last until they are awake.
//
// Ownership: part of a loop. The requests that wait are in the actors' cells.
// Threads:   loop thread only.
// Bounds:    as many requests as senders that wait; each holds its handler up.
// Ends:      whoever still waits when the actor ends is told so by the loop.

#ifndef TROLLEY_BUS_ROOM_H_
#define TROLLEY_BUS_ROOM_H_

#include <cstdint>

#include "absl/base/attributes.h"
#include "trolley/bus/cell.h"
#include "trolley/bus/local_places.h"

namespace trolley {

class Loop;

class Room {
 public:
  Room(Loop& loop, LocalPlaces& places) : loop_(loop), places_(places) {}

  // The place of a message that `cell` has handled.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void GiveBack(Cell& cell) {
    if (cell.local_places + 1 < cell.kept_places) [[likely]] {
      ++cell.local_places;
    } else {
      GiveBackSlowly(cell);
    }
  }

  // Takes the request of a sender, and answers it when there is room.
  void Wait(Cell& cell, Envelope* request);

  // `cell`, of which no loop keeps places, has nothing left to do.
  void GiveAll(Cell& cell) {
    if (!cell.room_requests.empty()) Keep(cell, places_.TakeAll(cell));
  }

 private:
  void GiveBackSlowly(Cell& cell);
  void Keep(Cell& cell, uint32_t places);
  void Grant(Cell& cell, uint32_t most);

  Loop& loop_;
  LocalPlaces& places_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_ROOM_H_
