// SPDX-License-Identifier: Apache-2.0
//
// IoUringRing: the two shared rings of an io_uring: open them, fill a
// submission, enter the kernel, take a completion. It uses the kernel's
// interface directly, without liburing. So each call goes through Sys. What the
// kernel supports is found by asking it, not from the headers of the build.
//
//   io_uring_sqe* sqe = ring.NextSubmission(error);
//   sqe->opcode = IORING_OP_POLL_ADD;
//   ...
//   ring.Enter(/*wait=*/true, limit.spec());
//   while (ring.HasCompletion()) Handle(ring.TakeCompletion());
//
// Ownership: owns the ring's descriptor and its two mappings. A forked child
//            does not get the mappings and must not use the ring.
// Threads:   one thread at a time. Open() may run on another thread than the
//            rest.
// Bounds:    kEntries submissions that the kernel has not seen. Completions
//            that do not fit into the ring wait in the kernel; none is lost.
// Ends:      the destructor unmaps and closes; the kernel cancels all requests.

#ifndef TROLLEY_POLLER_URING_IO_URING_RING_H_
#define TROLLEY_POLLER_URING_IO_URING_RING_H_

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

namespace trolley::internal {

class IoUringRing {
 public:
  static constexpr uint32_t kEntries = 256;
  // The user_data of a request whose completion is ignored.
  static constexpr uint64_t kIgnored = ~uint64_t{0};

  // Opens a ring in the first of three modes that this kernel supports: the
  // loop's thread does the kernel's work when it enters the ring; or at its
  // next system call; or the kernel's default. The text of an error names the
  // call that failed, the errno and its usual cause.
  //
  //   PermissionDenied   forbidden by a sysctl or by a container's filter
  //   Unimplemented      no io_uring, or it lacks a feature that we need
  //   ResourceExhausted  no memory or descriptors. It retries for 255 ms first,
  //                      because the kernel frees old rings with a delay
  static absl::StatusOr<std::unique_ptr<IoUringRing>> Open(Sys& sys);

  ~IoUringRing();
  IoUringRing(const IoUringRing&) = delete;
  IoUringRing& operator=(const IoUringRing&) = delete;

  // Binds the ring to the calling thread. Returns 0 or -errno. Must be called
  // once before the ring is used; later calls do nothing.
  int Enable();

  // Returns a new submission, filled with zeros and already queued. If kEntries
  // are waiting, it enters the kernel to make room. Null: the kernel took none;
  // `error` is its -errno, or unchanged if it returned none.
  io_uring_sqe* NextSubmission(int& error);

  // Gives the queued submissions to the kernel and runs the work that the
  // kernel has left for this thread. With `wait` it also waits for a
  // completion; a null `limit` means no limit. Returns -errno, or a number >= 0
  // that does not tell how the wait ended: check HasCompletion() and the clock.
  int Enter(bool wait, const timespec* limit);

  // True for an error of Enter() after which a retry can succeed.
  static bool IsLater(int error);

  // True if the kernel supports reads, writes, accepts and cancelling them.
  bool completes() const { return completes_; }

  // True if the kernel has work left for this thread, which the next Enter()
  // will do.
  bool HasUnfinished() const;

  bool HasCompletion() const { return !put_back_.empty() || HasFresh(); }
  // Takes the oldest completion. Call it only if HasCompletion().
  io_uring_cqe TakeCompletion();
  // Puts completions back in front, to be taken again. It must be all of those
  // that were taken since HasCompletion() was last false and not used.
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
  bool no_iowait_ = false;  // do not count an idle loop as waiting for a disk

  void* rings_ = nullptr;
  size_t rings_size_ = 0;
  io_uring_sqe* submissions_ = nullptr;
  size_t submissions_size_ = 0;
  std::deque<io_uring_cqe> put_back_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_URING_IO_URING_RING_H_
