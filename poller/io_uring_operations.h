// SPDX-License-Identifier: Apache-2.0
//
// IoUringOperations: the completions of io_uring. An operation is one request
// of the ring; those that were started go to the kernel together, with the next
// wait.
//
// A pending operation is
//   queued      started, not yet in the ring;
//   the ring's  until its completion was taken from there;
//   completed   until the caller takes it;
// and its address is the request's user_data. That is safe because Cancel()
// enters the kernel until it has seen the completion, so that no request
// outlives its operation.
//
// Ownership: part of an IoUringPoller; borrows its ring.
// Threads:   as Poller::Wait.
// Bounds:    as Completions.
// Ends:      with the poller, when no operation is pending.

#ifndef TROLLEY_POLLER_IO_URING_OPERATIONS_H_
#define TROLLEY_POLLER_IO_URING_OPERATIONS_H_

#include <cstddef>

#include "trolley/poller/completions.h"
#include "trolley/poller/io_uring_ring.h"
#include "trolley/poller/operation_queue.h"
#include "trolley/poller/sys.h"

namespace trolley {

class IoUringOperations final : public Completions {
 public:
  // No other user of the ring sets this bit of a user_data, but for ~0.
  static constexpr uint64_t kUserDataBit = uint64_t{1} << 63;

  IoUringOperations(Sys& sys, IoUringRing& ring) : sys_(sys), ring_(ring) {}

  void Start(Operation& operation) override;
  void Cancel(Operation& operation) override;
  Operation* TakeCompleted() override;
  bool idle() const override { return pending_ == 0; }

  bool has_completed() const { return !completed_.empty(); }

  // Puts the queued operations into the ring. 0, or -errno when the kernel
  // takes no more; what is left stays queued.
  int Submit();

  // False: `completion` is not of an operation.
  bool Take(const io_uring_cqe& completion);

 private:
  void Recall(Operation& operation);

  Sys& sys_;
  IoUringRing& ring_;
  OperationQueue queued_;
  OperationQueue completed_;
  size_t pending_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_IO_URING_OPERATIONS_H_
