// SPDX-License-Identifier: Apache-2.0
//
// LocalCredits: the mailbox credits that a loop holds in advance for its own
// actors, so that a message that stays on the loop takes and gives back a
// credit without an atomic operation. See bus/mailbox/credit_pool.h for mailbox
// credit as a whole.
//
// Ownership: part of a loop; the credits are counted in the actors' cells
//            (Cell::local_credits).
// Threads:   loop thread only; the pools are shared.
// Bounds:    for each actor CreditBatch() of its capacity.
// Ends:      ReturnSome(), which the loop calls before it sleeps.

#ifndef TROLLEY_BUS_MAILBOX_LOCAL_CREDITS_H_
#define TROLLEY_BUS_MAILBOX_LOCAL_CREDITS_H_

#include <cassert>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "trolley/bus/delivery.h"
#include "trolley/bus/mailbox/cell.h"

namespace trolley::internal {

class LocalCredits {
 public:
  // How many credits of an actor its loop holds from the start, if the loop
  // spawns the actor for itself: mostly the spawner sends the first message.
  static uint32_t Granted(const SpawnOptions& options) {
    return options.urgent_reserve == 0 ? MostKeptCredits(CreditsFor(options))
                                       : 0;
  }
  // Takes them: the actor has just come to its cell, and its pool has the
  // others. They are void if its constructor has told it to stop.
  void Grant(Cell& cell, const SpawnOptions& options) {
    const uint32_t granted = Granted(options);
    if (granted == 0 || cell.state() != Cell::State::kStarting) return;
    cell.local_credits += granted;
    List(cell);
    CheckCredits(cell);
  }

  // Takes a credit of `cell` that the loop holds already. False: the loop holds
  // none, or `target` does not live in `cell`.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool TakeOwn(Cell& cell, ActorId target) {
    if (cell.self != target || cell.local_credits == 0) return false;
    --cell.local_credits;
    return true;
  }

  // The same, and takes a batch from the pool if it holds none: kAccepted,
  // kFull, or kGone if `target` has ended. `target` may not have reached its
  // cell yet.
  Delivery Take(Cell& cell, ActorId target) {
    return TakeOwn(cell, target) ? Delivery::kAccepted
                                 : TakeShared(cell, target);
  }

  // The same for an urgent message.
  Delivery TakeUrgent(Cell& cell, ActorId target) {
    if (TakeOwn(cell, target)) return Delivery::kAccepted;
    const CreditPool::Taken taken =
        cell.credits.TakeUrgent(target.generation());
    return taken.gone           ? Delivery::kGone
           : taken.credits == 0 ? Delivery::kFull
                                : Delivery::kAccepted;
  }

  // Takes every credit that is free, here and in the pool, but the reserve.
  uint32_t TakeAll(Cell& cell) {
    return std::exchange(cell.local_credits, 0) +
           cell.credits.TakeAll(cell.self.generation());
  }

  // Takes back a credit of a running actor.
  void GiveBack(Cell& cell) {
    if (cell.credits.reserve() > 0) {
      cell.credits.Return(cell.self.generation(), 1);
      return CheckCredits(cell);
    }
    List(cell);
    if (++cell.local_credits > MostKeptCredits(cell.capacity)) {
      const uint32_t returned = (CreditBatch(cell.capacity) + 1) / 2;
      cell.local_credits -= returned;
      cell.credits.Return(cell.self.generation(), returned);
    }
    CheckCredits(cell);
  }

  // Gives the credits of at most `most` actors back to their pools. True: other
  // actors are left.
  bool ReturnSome(uint32_t most) {
    for (; most > 0 && !listed_.empty(); --most) {
      Cell* cell = listed_.back();
      listed_.pop_back();
      cell->credits_listed = false;
      cell->UpdateKeptCredits();
      if (cell->local_credits == 0) continue;
      cell->credits.Return(cell->self.generation(),
                           std::exchange(cell->local_credits, 0));
      CheckCredits(*cell);
    }
    return !listed_.empty();
  }

 private:
  Delivery TakeShared(Cell& cell, ActorId target) {
    const CreditPool::Taken taken =
        cell.credits.TakeBatch(target.generation(), CreditBatch(cell.capacity));
    if (taken.gone) return Delivery::kGone;
    if (taken.credits == 0) return Delivery::kFull;
    // The actor has not reached its cell, whose fields are still those of an
    // earlier actor. So its credits go to the pool.
    if (cell.self != target) {
      cell.credits.Return(target.generation(), taken.credits - 1);
      return Delivery::kAccepted;
    }
    assert(cell.local_credits == 0 && "they would be lost");
    cell.local_credits = taken.credits - 1;
    List(cell);
    CheckCredits(cell);
    return Delivery::kAccepted;
  }

  void List(Cell& cell) {
    if (!cell.credits_listed) listed_.push_back(&cell);
    cell.credits_listed = true;
    cell.UpdateKeptCredits();
  }

  std::vector<Cell*> listed_;  // cells whose local_credits may be > 0
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_LOCAL_CREDITS_H_
