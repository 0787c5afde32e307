// SPDX-License-Identifier: Apache-2.0
//
// BusyPoller: a Poller that never sleeps. It goes round its descriptors and
// asks each, in a system call of its own, whether it is ready: the textbook's
// non-blocking I/O. A wait with nothing ready burns its processor; in return a
// wake costs no system call and arrives in well under a microsecond. For a loop
// that has a processor to itself.
//
// The textbook asks by read() and takes EAGAIN for "no". A poller must not take
// the data, so it asks by poll(2) for that one descriptor with no time to wait.
// Peeking (MSG_PEEK) would do for sockets only, and FIONREAD sees no hangup and
// no room for writing; reporting "try it" for every descriptor on every turn
// would cost the caller the same call and break the promise that kReadable
// means that a read would not block.
//
// Ownership: owns no descriptor; borrows Sys and Clock, which outlive it.
// Threads:   as Poller.
// Bounds:    one system call for each descriptor on each round.

#ifndef TROLLEY_POLLER_BUSY_POLLER_H_
#define TROLLEY_POLLER_BUSY_POLLER_H_

#include <atomic>
#include <memory>

#include "trolley/poller/scan_poller.h"

namespace trolley {

class BusyPoller final : public ScanPoller {
 public:
  // Always OK.
  static absl::StatusOr<std::unique_ptr<Poller>> Create(Sys& sys,
                                                        const Clock& clock);

  void Wake() override { woken_.store(true); }

 private:
  BusyPoller(Sys& sys, const Clock& clock);

  int Look(absl::Span<pollfd> items, WaitLimit& limit) override;
  bool TakeWake(bool /*readable*/) override {
    return woken_.load() && woken_.exchange(false);
  }
  SysCall look_call() const override { return SysCall::kPpoll; }

  std::atomic<bool> woken_{false};
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_BUSY_POLLER_H_
