// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/room.h"

#include <utility>

#include "absl/status/status.h"
#include "trolley/bus/control_messages.h"
#include "trolley/bus/loop.h"

namespace trolley {

void Room::GiveBackSlowly(Cell& cell) {
  if (cell.state() != Cell::State::kRunning) return;  // it is ending
  if (cell.room_requests.empty()) {
    places_.GiveBack(cell);
  } else {
    Keep(cell, 1);
  }
}

// The oldest request counts those that wait and what is kept for them.
void Room::Wait(Cell& cell, Envelope* request) {
  const bool first = cell.room_requests.empty();
  cell.room_requests.Push(request);
  ++cell.room_requests.first()->payload<RoomRequest>().senders;
  cell.UpdateKeptPlaces();
  // There may be room by now.
  if (first) Keep(cell, places_.TakeAll(cell));
}

void Room::Keep(Cell& cell, uint32_t places) {
  RoomRequest& all = cell.room_requests.first()->payload<RoomRequest>();
  all.places += places;
  if (!cell.standing.runnable()) {
    Grant(cell, all.senders);
  } else if (all.places >= cell.capacity / 4) {
    Grant(cell, (all.senders + 3) / 4);
  }
}

// In the order of asking. Each spends one; what is left is for everybody.
void Room::Grant(Cell& cell, uint32_t most) {
  RoomRequest all = cell.room_requests.first()->payload<RoomRequest>();
  for (; most > 0 && all.places > 0; --most, --all.places, --all.senders) {
    Envelope* request = cell.room_requests.Pop();
    request->type->drop(request);
    request->type->answer(request, absl::OkStatus());
    loop_.SendReply(request);
  }
  if (all.places > 0) {
    cell.credits.Return(cell.self.generation(), std::exchange(all.places, 0));
  }
  if (all.senders > 0) {
    cell.room_requests.first()->payload<RoomRequest>() = all;
  }
  cell.UpdateKeptPlaces();
}

}  // namespace trolley
