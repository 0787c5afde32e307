// SPDX-License-Identifier: Apache-2.0
//
// RunQueue: the actors of a loop that have something to do. Actors that were
// just spawned come first, depth first. The others are first come, first
// served. Depth first saves memory when actors spawn actors that work and end.
// The loop then has one branch of the tree at a time, not a whole level. Such a
// branch fits into the CPU's caches.
//
// Ownership: part of a loop; links the cells by Cell::next_runnable.
// Threads:   loop thread only.
// Bounds:    one entry for each actor. In one turn at most kMostFresh new
//            actors come first. Every kFreshTurns turns the new actors that
//            are left join the others. So every actor runs.

#ifndef TROLLEY_BUS_MAILBOX_RUN_QUEUE_H_
#define TROLLEY_BUS_MAILBOX_RUN_QUEUE_H_

#include "trolley/bus/mailbox/cell.h"
#include "trolley/bus/thread/thread_checker.h"

namespace trolley::internal {

class RunQueue {
 public:
  static constexpr uint32_t kMostFresh = 96;
  static constexpr uint32_t kFreshTurns = 128;

  bool empty() const {
    return first_ == nullptr && first_fresh_ == nullptr && again_ == nullptr;
  }

  // Adds an actor, if it is not in the queue.
  void Push(Cell& cell) {
    if (!cell.actor_state.runnable()) Add(cell);
  }
  // Adds an actor that is not in the queue.
  void Add(Cell& cell) {
    thread_.Check();
    cell.actor_state.set_runnable(true);
    cell.next_runnable = nullptr;
    (first_ == nullptr ? first_ : last_->next_runnable) = &cell;
    last_ = &cell;
  }
  // Adds an actor whose slice has ended with work left. It comes behind all
  // actors that got work before, also by messages that are in the hand-off.
  void PushAgain(Cell& cell) {
    thread_.Check();
    cell.next_runnable = nullptr;
    (again_ == nullptr ? again_ : last_again_->next_runnable) = &cell;
    last_again_ = &cell;
  }
  // Adds an actor that was just spawned: behind the others that this slice has
  // spawned, before those of earlier slices.
  void PushFresh(Cell& cell) {
    thread_.Check();
    if (cell.actor_state.runnable()) return;
    cell.actor_state.set_runnable(true);
    Cell*& before = last_of_slice_ == nullptr ? first_fresh_
                                              : last_of_slice_->next_runnable;
    cell.next_runnable = before;
    if (before == nullptr) last_fresh_ = &cell;
    before = &cell;
    last_of_slice_ = &cell;
  }

  // Begins a turn. The messages of other loops are in their mailboxes by now.
  void BeginTurn() {
    fresh_left_ = kMostFresh;
    if (again_ != nullptr) TakeAgain();
    if (++turns_ % kFreshTurns != 0 || first_fresh_ == nullptr) return;
    (first_ == nullptr ? first_ : last_->next_runnable) = first_fresh_;
    last_ = last_fresh_;
    first_fresh_ = last_of_slice_ = nullptr;
  }

  // Takes the first actor; null: the queue is empty. It stays marked as
  // runnable, so that it is not added during its slice. After the slice the
  // caller calls PushAgain() or Release().
  Cell* Pop() {
    thread_.Check();
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
  static void Release(Cell& cell) { cell.actor_state.set_runnable(false); }

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
  Cell* last_of_slice_ = nullptr;  // that the running slice has spawned
  uint32_t fresh_left_ = kMostFresh;
  uint32_t turns_ = 0;
  [[no_unique_address]] ThreadChecker thread_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_RUN_QUEUE_H_
