// SPDX-License-Identifier: Apache-2.0
//
// IoUringRing: the two shared rings of an io_uring and nothing more: open them,
// fill a submission, enter, take a completion. Written against the kernel's
// interface, without liburing, so that every call goes through Sys and what the
// kernel has is found by trying, whatever the headers of the build know.
//
// Ownership: owns the ring's descriptor and its two mappings, which a forked
//            child does not get (it must not touch the ring).
// Threads:   one thread at a time; Open() may be on another one than the rest.
// Bounds:    kEntries submissions that the kernel has not seen; completions
//            beyond the ring's size wait in the kernel, none is lost.
// Ends:      the destructor unmaps and closes; the kernel cancels what is left.

#ifndef TROLLEY_POLLER_IO_URING_RING_H_
#define TROLLEY_POLLER_IO_URING_RING_H_

#include <linux/io_uring.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

class IoUringRing {
 public:
  static constexpr uint32_t kEntries = 256;
  // user_data of a request whose completion nobody waits for.
  static constexpr uint64_t kNobody = ~uint64_t{0};

  // The best of three ways that this kernel takes: all work done by the loop's
  // own thread when it asks for it, then at its next system call, then plain.
  // The Status names the call that was refused, the errno and its usual cause:
  // PermissionDenied (a sysctl or a container's filter), Unimplemented (no
  // io_uring, or one that lacks what a poller needs), ResourceExhausted (after
  // a quarter of a second in which the kernel may free what rings before it
  // had).
  static absl::StatusOr<std::unique_ptr<IoUringRing>> Open(Sys& sys);

  ~IoUringRing();
  IoUringRing(const IoUringRing&) = delete;
  IoUringRing& operator=(const IoUringRing&) = delete;

  // The ring takes submissions from the calling thread only, from now on.
  // 0 or -errno. Once is enough; more do nothing.
  int Enable();

  // Zeroed and queued. When kEntries are waiting it enters the kernel to make
  // room; null: the kernel took nothing, and `error` says why, if it said.
  io_uring_sqe* NextSubmission(int& error);

  // Hands the queued submissions to the kernel, runs what it has put off for
  // this thread, and, if `wait`, waits for a completion, for ever where `limit`
  // is null. -errno, or >= 0, which says nothing of the wait: look for
  // completions and at the clock.
  int Enter(bool wait, const timespec* limit);

  // An error of Enter() after which it is worth another try.
  static bool IsLater(int error);

  // The kernel does reads, writes and accepts, and lets go of them.
  bool completes() const { return completes_; }

  // The kernel has something to finish for this thread, with the next Enter().
  bool HasUnfinished() const;

  bool HasCompletion() const { return !put_back_.empty() || HasFresh(); }
  // Call only when HasCompletion(); gives its place back to the kernel.
  io_uring_cqe TakeCompletion();
  // All that were taken since HasCompletion() was last false, and are to be
  // taken again.
  void PutBack(std::vector<io_uring_cqe> completions);

 private:
  IoUringRing(Sys& sys, ScopedFd fd, const io_uring_params& params)
      : sys_(sys), fd_(std::move(fd)), params_(params) {}

  absl::Status Map();
  absl::Status CheckOperations();
  io_uring_sqe* TakeSubmission();
  bool HasFresh() const;
  template <typename T>
  T* At(uint32_t offset) const {
    return reinterpret_cast<T*>(reinterpret_cast<char*>(rings_) + offset);
  }

  Sys& sys_;
  ScopedFd fd_;
  const io_uring_params params_;
  bool enabled_ = false;
  bool completes_ = false;
  bool no_iowait_ = false;  // an idle loop does not count as waiting for a disk

  void* rings_ = nullptr;
  size_t rings_size_ = 0;
  io_uring_sqe* submissions_ = nullptr;
  size_t submissions_size_ = 0;
  std::deque<io_uring_cqe> put_back_;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_IO_URING_RING_H_
