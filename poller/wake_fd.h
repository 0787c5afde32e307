// SPDX-License-Identifier: Apache-2.0
//
// WakeFd: a descriptor that any thread can make readable to end a wait.
//
// Ownership: a poller owns its WakeFd, and nobody notifies it after that.
// Threads:   Notify() thread-safe and async-signal-safe; the rest belongs to
//            the waiting thread.
// Bounds:    one eventfd; at most one write for each Take() that said true.
//
// Two ways to wait for it:
//   level  watch fd() for reading; when it is readable, Drain().
//   edge   watch fd() edge-triggered and never read it: each write is an edge
//          of its own. When one comes, Take(). A read less per wake.
//
// `pending_` says "a Notify() happened that no Take() has seen". Only the
// Notify() that sets it writes; the others have nothing to add. Its exchange is
// also the memory ordering: a sanitizer cannot see one through an eventfd.
//
//               Notify             Take / Drain
//   idle        pending, write     idle, false
//   pending     pending            idle, true
//
// Drain() reads before it takes: the other way round it could swallow the write
// of a Notify() between the two, which would then be pending for ever.

#ifndef TROLLEY_POLLER_WAKE_FD_H_
#define TROLLEY_POLLER_WAKE_FD_H_

#include <atomic>

#include "absl/status/statusor.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

class WakeFd {
 public:
  // ResourceExhausted: no descriptor or memory left. Else what eventfd() said.
  static absl::StatusOr<ScopedFd> Open(Sys& sys);

  // `fd` comes from Open().
  WakeFd(Sys& sys, ScopedFd fd) : sys_(sys), fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }

  // Makes fd() readable. A full counter (EAGAIN) is emptied and written again,
  // so that an edge comes in every case.
  // Memory ordering: what the caller did before is visible after the Take() or
  // Drain() that returns true because of it.
  void Notify();

  // True if there was a Notify() since the last time. Leaves fd() as it is.
  // False can follow an edge whose Notify() was seen early; wait again then.
  bool Take() { return pending_.load() && pending_.exchange(false); }

  // Makes fd() unreadable, then Take().
  bool Drain();

 private:
  Sys& sys_;
  ScopedFd fd_;
  std::atomic<bool> pending_{false};
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_WAKE_FD_H_
