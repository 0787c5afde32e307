// SPDX-License-Identifier: Apache-2.0
//
// IoUringPoller: a Poller that uses the poll requests of io_uring. A
// registration is a request in a queue. The next Wait sends the queue to the
// kernel, so registrations need no system calls of their own. Use it for
// descriptors that come and go; for those that stay, epoll does less work for
// each event.
//
//   trigger    request
//   kLevel     ends with its first completion; the next Wait makes a new one,
//              which completes at once while the condition lasts
//   kOneshot   ends with its first completion
//   kEdge      stays
//
// If the kernel supports all of them, it also does reads, writes and accepts
// (Capabilities::completion); see io_uring_operations.h.
//
// A poll request keeps its file open. So Remove() enters the kernel to end the
// request, and a close() after it really closes the file.
//
// Ownership: owns its ring and its wake descriptor; borrows Sys and Clock,
//            which outlive it.
// Threads:   as Poller. Only the thread that used it first may use it
//            (`thread_bound`). A forked child must not use it.
// Bounds:    the sizes of the ring (io_uring_ring.h) bound one system call, not
//            the number of registrations.
// Ends:      the destructor closes the ring; the kernel cancels its requests.

#ifndef TROLLEY_POLLER_URING_IO_URING_POLLER_H_
#define TROLLEY_POLLER_URING_IO_URING_POLLER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/registrations.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"
#include "trolley/poller/uring/io_uring_operations.h"
#include "trolley/poller/uring/io_uring_ring.h"
#include "trolley/poller/wake_fd.h"

namespace trolley::internal {

class IoUringPoller final : public Poller {
 public:
  // The errors of IoUringRing::Open(), and ResourceExhausted if there is no
  // descriptor for wakes.
  static absl::StatusOr<std::unique_ptr<Poller>> Create(Sys& sys,
                                                        const Clock& clock);

  absl::Status Add(int fd, Token token, Interest interest) override;
  absl::Status Modify(int fd, Token token, Interest interest) override;
  absl::Status Remove(int fd, Token token) override;
  absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                  Instant deadline) override;
  void Wake() override { wake_.Notify(); }
  const Capabilities& capabilities() const override { return capabilities_; }
  Completions* completions() override {
    return capabilities_.completion ? &operations_ : nullptr;
  }

 private:
  // The state of one registration's requests. The user_data of a request is
  // the index of its slot and the slot's `request`. A completion with another
  // `request` belongs to a cancelled request and is dropped.
  struct Slot {
    int fd = -1;
    Token token;
    Interest interest;
    uint32_t request = 0;
    bool in_kernel = false;  // the request was submitted and has not ended
    bool queued = false;     // the slot is in to_arm_
    bool quiet = false;      // see Take()
    uint64_t wait = 0;       // the number of the Wait that reported it last
    size_t event = 0;        // its index in the events of that Wait
  };
  struct Entry : Registration {
    uint32_t slot = 0;
  };

  IoUringPoller(Sys& sys, const Clock& clock, std::unique_ptr<IoUringRing> ring,
                ScopedFd wake);

  void QueueToArm(uint32_t slot);
  void GiveUp(uint32_t slot);
  int ArmQueued();
  void SubmitCancellations();
  void Take(const io_uring_cqe& completion, absl::Span<Event> events,
            WaitResult& result);

  Sys& sys_;
  const Clock& clock_;
  WakeFd wake_;
  const Capabilities capabilities_;
  std::unique_ptr<IoUringRing> ring_;  // destroyed before wake_
  IoUringOperations operations_;

  Registrations<Entry> registrations_;
  std::vector<Slot> slots_;  // slot 0 is for the wake descriptor
  std::vector<uint32_t> free_slots_;
  std::vector<uint32_t> to_arm_;     // slots that need a new request
  std::vector<uint64_t> to_cancel_;  // user_data of requests to cancel
  uint64_t wait_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_URING_IO_URING_POLLER_H_
