// SPDX-License-Identifier: Apache-2.0
//
// OperationQueue: operations in the order in which they were added, linked
// through themselves, so that any of them can leave at once.
//
// Ownership: borrows the operations; part of who implements Completions.
// Threads:   one thread.
// Bounds:    none; an operation is in one queue at most.

#ifndef TROLLEY_POLLER_OPERATION_QUEUE_H_
#define TROLLEY_POLLER_OPERATION_QUEUE_H_

#include <cstddef>

#include "trolley/poller/completions.h"

namespace trolley {

class OperationQueue {
 public:
  OperationQueue() = default;
  OperationQueue(const OperationQueue&) = delete;
  OperationQueue& operator=(const OperationQueue&) = delete;

  void Add(Operation& operation) {
    operation.queue_ = this;
    operation.previous_ = last_;
    operation.next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = &operation;
    last_ = &operation;
    ++size_;
  }

  void Remove(Operation& operation) {
    (operation.previous_ != nullptr ? operation.previous_->next_ : first_) =
        operation.next_;
    (operation.next_ != nullptr ? operation.next_->previous_ : last_) =
        operation.previous_;
    operation.queue_ = nullptr;
    --size_;
  }

  // Null when empty.
  Operation* first() const { return first_; }
  static Operation* After(const Operation& operation) {
    return operation.next_;
  }

  bool Has(const Operation& operation) const {
    return operation.queue_ == this;
  }
  bool empty() const { return first_ == nullptr; }
  size_t size() const { return size_; }

 private:
  Operation* first_ = nullptr;
  Operation* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_OPERATION_QUEUE_H_
