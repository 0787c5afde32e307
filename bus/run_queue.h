// SPDX-License-Identifier: Apache-2.0
//
// RunQueue: the actors of a loop that have something to do, first come first
// served. Linked through Cell::next_runnable; an actor is in it at most once.
//
// Loop thread only.

#ifndef TROLLEY_BUS_RUN_QUEUE_H_
#define TROLLEY_BUS_RUN_QUEUE_H_

#include "trolley/bus/cell.h"

namespace trolley {

class RunQueue {
 public:
  bool empty() const { return first_ == nullptr; }

  // Does nothing if it is in the queue.
  void Push(Cell& cell) {
    if (cell.runnable) return;
    cell.runnable = true;
    PushBack(cell);
  }
  // The same for one that has just had its slice.
  void PushBack(Cell& cell) {
    cell.next_runnable = nullptr;
    (first_ == nullptr ? first_ : last_->next_runnable) = &cell;
    last_ = &cell;
  }

  // Null if empty. The actor stays marked as runnable, so that nobody queues it
  // during its slice; whoever ran it calls PushBack() or Release().
  Cell* Pop() {
    Cell* cell = first_;
    if (cell == nullptr) return nullptr;
    first_ = cell->next_runnable;
    return cell;
  }
  static void Release(Cell& cell) { cell.runnable = false; }

 private:
  Cell* first_ = nullptr;
  Cell* last_ = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_RUN_QUEUE_H_
