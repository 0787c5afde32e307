// SPDX-License-Identifier: Apache-2.0
//
// IoUringOperations: the Completions of an IoUringPoller. Each operation is one
// request of the ring. The next Wait sends all started operations to the kernel
// together.
//
// A pending operation is in one of three states:
//
//   queued     started, but not yet in the ring
//   submitted  in the ring, and its completion was not taken yet
//   completed  its completion was taken; TakeCompleted() has not returned it
//
// The address of the operation is the user_data of its request. That is safe
// because Cancel() enters the kernel until it has seen the completion. So no
// request lives longer than its operation.
//
// Ownership: part of an IoUringPoller; borrows its ring.
// Threads:   the thread that calls Poller::Wait.
// Bounds:    as Completions.
// Ends:      with the poller, when no operation is pending.

#ifndef TROLLEY_POLLER_URING_IO_URING_OPERATIONS_H_
#define TROLLEY_POLLER_URING_IO_URING_OPERATIONS_H_

#include <cassert>
#include <cstddef>

#include "trolley/poller/completions.h"
#include "trolley/poller/operation_queue.h"
#include "trolley/poller/sys.h"
#include "trolley/poller/uring/io_uring_ring.h"

namespace trolley::internal {

class IoUringOperations final : public Completions {
 public:
  // Marks the user_data of an operation. The only other user_data with this bit
  // is IoUringRing::kIgnored.
  static constexpr uint64_t kUserDataBit = uint64_t{1} << 63;

  IoUringOperations(Sys& sys, IoUringRing& ring) : sys_(sys), ring_(ring) {}
  ~IoUringOperations() override {
    assert(pending_ == 0 && "operations outlive their poller");
  }

  void Start(Operation& operation) override;
  void Cancel(Operation& operation) override;
  Operation* TakeCompleted() override;
  bool idle() const override { return pending_ == 0; }

  bool has_completed() const { return !completed_.empty(); }

  // Puts the queued operations into the ring. Returns 0, or -errno if the
  // kernel takes no more; the rest stays queued.
  int Submit();

  // Takes the completion of an operation. False: `completion` belongs to
  // another request.
  bool Take(const io_uring_cqe& completion);

 private:
  void Recall(Operation& operation);

  Sys& sys_;
  IoUringRing& ring_;
  OperationQueue queued_;
  OperationQueue completed_;
  size_t pending_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_URING_IO_URING_OPERATIONS_H_
