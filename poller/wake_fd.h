// SPDX-License-Identifier: Apache-2.0
//
// WakeFd: a descriptor that any thread can make readable, to end a wait.
//
// There are two ways to use it in a poller:
//
//   level  watch fd() for reading; when it is readable, call Drain()
//   edge   watch fd() edge-triggered and never read it; at each edge call
//          Take(). Each write is an edge of its own, so this saves a read for
//          each wake.
//
// Ownership: a poller owns its WakeFd. No thread may call Notify() after the
//            poller was destroyed.
// Threads:   Notify() is thread-safe and async-signal-safe. All other methods:
//            the thread that waits.
// Bounds:    one eventfd. At most one write for each Take() or Drain() that
//            returned true.
//
// States. `pending_` means: a Notify() has happened that no Take() has seen.
//
//               Notify             Take / Drain
//   idle        pending, write     idle, false
//   pending     pending            idle, true
//
// Only the Notify() that sets `pending_` writes. The exchange of `pending_`
// also gives the memory ordering, because ThreadSanitizer does not see an
// ordering through an eventfd. Drain() reads the eventfd before it clears
// `pending_`. In the other order it could read the write of a Notify() that
// came between the two; then `pending_` would stay set and no later Notify()
// would write.

#ifndef TROLLEY_POLLER_WAKE_FD_H_
#define TROLLEY_POLLER_WAKE_FD_H_

#include <atomic>
#include <utility>

#include "absl/status/statusor.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

class WakeFd {
 public:
  // Makes the eventfd.
  //
  //   ResourceExhausted  no descriptor or memory is left
  //   any other          the error of eventfd(), by poller/errno_status.h
  static absl::StatusOr<ScopedFd> Open(Sys& sys);

  // `fd` comes from Open().
  WakeFd(Sys& sys, ScopedFd fd) : sys_(sys), fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }

  // Makes fd() readable. If the counter is full (EAGAIN), empties it and writes
  // again, so that there is always an edge.
  // Memory ordering: what a thread did before Notify() is visible to the
  // waiting thread after the Take() or Drain() that returns true because of it.
  void Notify();

  // True if Notify() was called since the last Take() or Drain() that returned
  // true. Does not read fd(). After an edge it can return false, because an
  // earlier Take() has seen that Notify() already; wait again then.
  // mutant: P16_TheFirstWakeIsTheOnlyOne
  bool Take() { return pending_.load() && pending_.exchange(false); }

  // Empties fd(), so that it is no longer readable, then calls Take().
  bool Drain();

 private:
  Sys& sys_;
  ScopedFd fd_;
  std::atomic<bool> pending_{false};
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_WAKE_FD_H_
