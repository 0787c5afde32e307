// SPDX-License-Identifier: Apache-2.0
//
// GetActorPage: lists the actors of a bus, one page at a time, ordered by loop
// and slot. An actor does not change its slot. So a caller that gets all pages
// sees an actor once if it ran all the time, and at most once if it did not.
//
// Threads:   thread-safe. The loops do the work, in steps of one turn
//            (bus/loop/stepped_work.h).
// Bounds:    the memory of one page.

#ifndef TROLLEY_BUS_LOOP_ACTOR_PAGES_H_
#define TROLLEY_BUS_LOOP_ACTOR_PAGES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "trolley/bus/inspect.h"
#include "trolley/bus/loop/loop.h"

namespace trolley::internal {

// Loop thread only. One step of a walk over the actors of `loop`. Looks at the
// cells from `slot` to `end`, at most messages_per_turn of them, and calls
// visit(Cell&) for each actor until that is false. `slot` becomes the next cell
// to look at. True: cells are left.
template <typename Visit>
bool VisitActors(Loop& loop, uint32_t& slot, uint32_t end, Visit visit) {
  CellTable& cells = loop.inbox().cells;
  bool go_on = true;
  // mutant: P7_ALookTakesOneTurn
  for (uint32_t left = loop.options().messages_per_turn;
       left > 0 && slot < end && go_on; --left) {
    loop.inbox().stats.cells_looked_at.Increment();
    Cell& cell = *cells.Find(slot++);
    if (cell.actor != nullptr) go_on = visit(cell);
  }
  return slot < end;
}

// Calls `done` once with a page of at most `most` actors (at least 1) that
// begins at `from`; on the thread of a loop. If the bus has ended, it calls
// `done` in this call, with an empty page. A loop that ends meanwhile ends the
// page.
void GetActorPage(BusState::Ptr bus, ActorPosition from, uint32_t most,
                  std::function<void(ActorPage)> done);

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_ACTOR_PAGES_H_
