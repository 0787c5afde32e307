// SPDX-License-Identifier: Apache-2.0
//
// Pages: the actors of a bus, some at a time, in the order of their places
// (loop, then slot). Places do not move, so whoever asks for page after page
// sees each actor once that lived all the time; one that comes or goes
// meanwhile is seen once or not at all.
//
// Values, and functions that are thread-safe. Their work is done in steps of
// one turn each (bus/chores.h); memory is that of the page.

#ifndef TROLLEY_BUS_ACTOR_PAGES_H_
#define TROLLEY_BUS_ACTOR_PAGES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "trolley/bus/inspect.h"
#include "trolley/bus/loop.h"

namespace trolley {

// A step of a walk over the actors of `loop`: visits those in at most
// messages_per_turn cells, from `slot` on, which it moves on, and before `end`,
// until visit(Cell&) is false. Returns whether there are cells left. Loop
// thread only.
template <typename Visit>
bool VisitActors(Loop& loop, uint32_t& slot, uint32_t end, Visit visit) {
  CellTable& cells = loop.port().cells;
  bool go_on = true;
  for (uint32_t left = loop.options().messages_per_turn;
       left > 0 && slot < end && go_on; --left) {
    loop.port().stats.cells_looked_at.Increment();
    Cell& cell = *cells.Find(slot++);
    if (cell.actor != nullptr) go_on = visit(cell);
  }
  return slot < end;
}

// Passes `done` the page of at most `most` actors, at least 1, that begins at
// `from`. On the thread of a loop, or on the caller's if the bus has ended: the
// page is then empty. A loop that ends on the way ends the page.
void GetActorPage(BusState::Ptr bus, ActorPlace from, uint32_t most,
                  std::function<void(ActorPage)> done);

}  // namespace trolley

#endif  // TROLLEY_BUS_ACTOR_PAGES_H_
