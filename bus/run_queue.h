// SPDX-License-Identifier: Apache-2.0
//
// RunQueue: the actors of a loop that have something to do, first come first
// served; but those that have just been spawned come before, depth first. A
// tree of actors that are spawned, work and end is so as small as it is deep,
// not as it is wide, and stays in the caches.
//
// Linked through Cell::next_runnable; an actor is in it at most once.
//
// Threads:   loop thread only.
// Bounds:    one entry for each actor. In one turn at most kMostFresh of the
//            newly spawned go before others, and every kFreshTurns turns those
//            that still wait join the others, so that nobody waits for ever.

#ifndef TROLLEY_BUS_RUN_QUEUE_H_
#define TROLLEY_BUS_RUN_QUEUE_H_

#include "trolley/bus/cell.h"

namespace trolley {

class RunQueue {
 public:
  static constexpr uint32_t kMostFresh = 96;
  static constexpr uint32_t kFreshTurns = 128;

  bool empty() const {
    return first_ == nullptr && first_fresh_ == nullptr && again_ == nullptr;
  }

  // Does nothing if it is in the queue.
  void Push(Cell& cell) {
    if (!cell.standing.runnable()) Add(cell);
  }
  // One that is not in the queue.
  void Add(Cell& cell) {
    cell.standing.set_runnable(true);
    cell.next_runnable = nullptr;
    (first_ == nullptr ? first_ : last_->next_runnable) = &cell;
    last_ = &cell;
  }
  // The same for one that has just had its slice and is not done: behind those
  // that had got something to do before, even if the loop does not know yet.
  void PushAgain(Cell& cell) {
    cell.next_runnable = nullptr;
    (again_ == nullptr ? again_ : last_again_->next_runnable) = &cell;
    last_again_ = &cell;
  }
  // The same for one that was just spawned: after those that the actor whose
  // slice it is has spawned, before those of others.
  void PushFresh(Cell& cell) {
    if (cell.standing.runnable()) return;
    cell.standing.set_runnable(true);
    Cell*& before = last_of_slice_ == nullptr ? first_fresh_
                                              : last_of_slice_->next_runnable;
    cell.next_runnable = before;
    if (before == nullptr) last_fresh_ = &cell;
    before = &cell;
    last_of_slice_ = &cell;
  }

  // What other loops have handed over is in the queue by now.
  void BeginTurn() {
    fresh_left_ = kMostFresh;
    if (again_ != nullptr) TakeAgain();
    if (++turns_ % kFreshTurns != 0 || first_fresh_ == nullptr) return;
    (first_ == nullptr ? first_ : last_->next_runnable) = first_fresh_;
    last_ = last_fresh_;
    first_fresh_ = last_of_slice_ = nullptr;
  }

  // Null if empty. The actor stays marked as runnable, so that nobody queues it
  // during its slice; whoever ran it calls PushAgain() or Release().
  Cell* Pop() {
    last_of_slice_ = nullptr;
    if (first_fresh_ != nullptr && (fresh_left_ > 0 || first_ == nullptr)) {
      if (fresh_left_ > 0) --fresh_left_;
      return TakeFirst(first_fresh_);
    }
    if (first_ == nullptr) {
      if (again_ == nullptr) return nullptr;
      TakeAgain();
    }
    return TakeFirst(first_);
  }
  static void Release(Cell& cell) { cell.standing.set_runnable(false); }

 private:
  void TakeAgain() {
    (first_ == nullptr ? first_ : last_->next_runnable) = again_;
    last_ = last_again_;
    again_ = nullptr;
  }
  static Cell* TakeFirst(Cell*& first) {
    Cell* cell = first;
    first = cell->next_runnable;
    return cell;
  }

  Cell* first_ = nullptr;
  Cell* last_ = nullptr;
  Cell* again_ = nullptr;
  Cell* last_again_ = nullptr;
  Cell* first_fresh_ = nullptr;
  Cell* last_fresh_ = nullptr;
  Cell* last_of_slice_ = nullptr;  // spawned in the slice in hand
  uint32_t fresh_left_ = kMostFresh;
  uint32_t turns_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_RUN_QUEUE_H_
