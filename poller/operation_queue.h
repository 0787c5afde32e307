// SPDX-License-Identifier: Apache-2.0
//
// OperationQueue: a first-in, first-out list of operations. The links are in
// the operations themselves, so any operation can be removed in constant time.
// For authors of pollers with Completions.
//
//   queue.Add(operation);
//   if (queue.Has(operation)) queue.Remove(operation);
//   Operation* oldest = queue.first();
//
// Ownership: borrows the operations. Each poller owns its queues.
// Threads:   one thread.
// Bounds:    none. An operation is in at most one queue.

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

  // The operation that was added first; null when the queue is empty.
  Operation* first() const { return first_; }
  // The operation that was added after `operation`; null for the last one.
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
