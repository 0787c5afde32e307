// SPDX-License-Identifier: Apache-2.0
//
// PollPoller: a Poller over poll(2). The cost of a wait grows with what is
// watched, but watching costs no system call: good for few descriptors, or for
// many that change on every turn.
//
// Ownership: owns a wake descriptor; borrows Sys and Clock, which outlive it.
// Threads:   as Poller.
// Bounds:    the kernel refuses to look at more than RLIMIT_NOFILE at a time.

#ifndef TROLLEY_POLLER_POLL_POLLER_H_
#define TROLLEY_POLLER_POLL_POLLER_H_

#include <memory>
#include <utility>

#include "trolley/poller/scan_poller.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/wake_fd.h"

namespace trolley {

class PollPoller final : public ScanPoller {
 public:
  // ResourceExhausted: no descriptor left.
  static absl::StatusOr<std::unique_ptr<Poller>> Create(Sys& sys,
                                                        const Clock& clock);

  void Wake() override { wake_.Notify(); }

 private:
  PollPoller(Sys& sys, const Clock& clock, ScopedFd wake);

  int Look(absl::Span<pollfd> items, WaitLimit& limit) override;
  bool TakeWake(bool readable) override { return readable && wake_.Drain(); }
  SysCall look_call() const override { return SysCall::kPpoll; }

  WakeFd wake_;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_POLL_POLLER_H_
