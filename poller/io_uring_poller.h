// SPDX-License-Identifier: Apache-2.0
//
// IoUringPoller: a Poller over io_uring's poll requests. Registrations are
// requests in a queue that goes to the kernel with the next wait, so that any
// number of them costs no system call of its own: the poller for descriptors
// that come and go. For those that stay, epoll does less work per event.
//
// Level and oneshot are requests that end with their first completion; a level
// one is made again with the next wait, and completes at once while the
// condition lasts. Edge is a request that stays.
//
// It also does reads, writes and accepts itself, where the kernel has them all
// (`completion`): see io_uring_operations.h.
//
// A poll request holds on to its file: Remove therefore enters the kernel, so
// that close() after it closes.
//
// Ownership: owns its ring and its wake descriptor; borrows Sys and Clock,
//            which outlive it.
// Threads:   as Poller; the thread that uses it first is the loop's for good
//            (`thread_bound`). A forked child must not touch it.
// Bounds:    the ring's sizes (io_uring_ring.h) bound a system call, not the
//            number of registrations.
// Ends:      the destructor closes the ring; the kernel cancels its requests.

#ifndef TROLLEY_POLLER_IO_URING_POLLER_H_
#define TROLLEY_POLLER_IO_URING_POLLER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/io_uring_operations.h"
#include "trolley/poller/io_uring_ring.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/registrations.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"
#include "trolley/poller/wake_fd.h"

namespace trolley {

class IoUringPoller final : public Poller {
 public:
  // As IoUringRing::Open(); ResourceExhausted also without a descriptor left.
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
  // A place from which requests are made. Its number and its `request` go into
  // a request's user_data; a completion with another `request` is of one that
  // was given up, and is dropped.
  struct Slot {
    int fd = -1;
    Token token;
    Interest interest;
    uint32_t request = 0;
    bool in_kernel = false;  // the request was submitted and has not ended
    bool queued = false;     // it is in to_arm_
    bool quiet = false;      // see Take()
    uint64_t wait = 0;       // the Wait that reported it last, and
    size_t event = 0;        // where in that Wait's events
  };
  struct Entry : Registration {
    uint32_t slot = 0;
  };

  IoUringPoller(Sys& sys, const Clock& clock, std::unique_ptr<IoUringRing> ring,
                ScopedFd wake);

  void QueueToArm(uint32_t slot);
  void GiveUp(uint32_t slot);
  int ArmQueued();
  void Settle();
  void Take(const io_uring_cqe& completion, absl::Span<Event> events,
            WaitResult& result);

  Sys& sys_;
  const Clock& clock_;
  WakeFd wake_;
  const Capabilities capabilities_;
  std::unique_ptr<IoUringRing> ring_;  // goes before the wake descriptor
  IoUringOperations operations_;

  Registrations<Entry> registrations_;
  std::vector<Slot> slots_;  // slot 0 is the wake descriptor's
  std::vector<uint32_t> free_slots_;
  std::vector<uint32_t> to_arm_;     // slots that want a new request
  std::vector<uint64_t> to_cancel_;  // user_data of requests to give up
  uint64_t wait_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_IO_URING_POLLER_H_
