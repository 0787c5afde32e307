// SPDX-License-Identifier: Apache-2.0
//
// LocalPlaces: the mailbox places that a loop holds for its own actors, so that
// a message that stays on the loop takes and gives back a place without an
// atomic. The counterpart of bus/leases.h, which holds places of other loops'
// actors.
//
// Ownership: part of a loop; the places are counted in the actors' cells.
// Threads:   loop thread only; the credits themselves are shared.
// Bounds:    for each actor an eighth of its mailbox, and at most 64.
// Ends:      given back whenever the loop goes to sleep.

#ifndef TROLLEY_BUS_LOCAL_PLACES_H_
#define TROLLEY_BUS_LOCAL_PLACES_H_

#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "trolley/bus/cell.h"
#include "trolley/bus/delivery.h"

namespace trolley {

class LocalPlaces {
 public:
  // Takes a place in the mailbox of `cell` that the loop holds already; false
  // if it holds none, or `target` does not live there.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool TakeOwn(Cell& cell, ActorId target) {
    if (cell.self != target || cell.local_places == 0) return false;
    --cell.local_places;
    return true;
  }

  // The same, and takes more if it holds none: kAccepted, kFull, or kGone if
  // `target` has ended. It may be on its way to its cell yet.
  Delivery Take(Cell& cell, ActorId target) {
    return TakeOwn(cell, target) ? Delivery::kAccepted
                                 : TakeShared(cell, target);
  }

  // Takes every place that is free, and says how many.
  uint32_t TakeAll(Cell& cell) {
    return std::exchange(cell.local_places, 0) +
           cell.credits.TakeAll(cell.self.generation());
  }

  // Gives a place of a running actor back.
  void GiveBack(Cell& cell) {
    List(cell);
    const uint32_t batch = cell.places_batch();
    if (++cell.local_places < batch) return;
    const uint32_t returned = (batch + 1) / 2;
    cell.local_places -= returned;
    cell.credits.Return(cell.self.generation(), returned);
  }

  // Gives the places of at most `most` actors back. True: there are others.
  bool ReturnSome(uint32_t most) {
    for (; most > 0 && !listed_.empty(); --most) {
      Cell* cell = listed_.back();
      listed_.pop_back();
      cell->places_listed = false;
      cell->UpdateKeptPlaces();
      if (cell->local_places == 0) continue;
      cell->credits.Return(cell->self.generation(),
                           std::exchange(cell->local_places, 0));
    }
    return !listed_.empty();
  }

 private:
  Delivery TakeShared(Cell& cell, ActorId target) {
    const Credits::Lease lease =
        cell.credits.TakeShare(target.generation(), cell.places_batch());
    if (lease.gone) return Delivery::kGone;
    if (lease.places == 0) return Delivery::kFull;
    // The cell's own fields still speak of an earlier actor if this one is yet
    // to be adopted; it will find its places with its credits then.
    if (cell.self != target) {
      cell.credits.Return(target.generation(), lease.places - 1);
      return Delivery::kAccepted;
    }
    cell.local_places = lease.places - 1;
    List(cell);
    return Delivery::kAccepted;
  }

  void List(Cell& cell) {
    if (!cell.places_listed) listed_.push_back(&cell);
    cell.places_listed = true;
    cell.UpdateKeptPlaces();
  }

  std::vector<Cell*> listed_;  // whose local_places may be > 0
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LOCAL_PLACES_H_
