// SPDX-License-Identifier: Apache-2.0
//
// PollPoller: a Poller that uses poll(2). The cost of a Wait depends on how
// many descriptors are watched, but Add, Modify and Remove hardly cost
// anything. Use it for few descriptors, or for many that change in every turn.
//
// Ownership: owns a wake descriptor; borrows Sys and Clock, which outlive it.
// Threads:   as Poller.
// Bounds:    the kernel refuses more than RLIMIT_NOFILE descriptors at a time.

#ifndef TROLLEY_POLLER_BACKEND_POLL_POLLER_H_
#define TROLLEY_POLLER_BACKEND_POLL_POLLER_H_

#include <memory>
#include <utility>

#include "trolley/poller/backend/scan_poller.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/wake_fd.h"

namespace trolley::internal {

class PollPoller final : public ScanPoller {
 public:
  //   ResourceExhausted  no descriptor is left
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

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_BACKEND_POLL_POLLER_H_
