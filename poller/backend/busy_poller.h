// SPDX-License-Identifier: Apache-2.0
//
// BusyPoller: a Poller that never sleeps. It asks its descriptors one after the
// other, each with a system call of its own, whether they are ready. Use it for
// a loop that has a processor to itself: while nothing is ready, a Wait uses
// all of that processor. In return a wake costs no system call and arrives in
// well under a microsecond.
//
// Why poll(2) and not another call:
//
//   read()      takes the data, which a poller must not do
//   MSG_PEEK    works for sockets only
//   FIONREAD    does not see a hangup or room for writing
//   report all  the caller would make the same calls, and kReadable would no
//               longer mean that a read would not block
//
// Ownership: owns no descriptor; borrows Sys and Clock, which outlive it.
// Threads:   as Poller.
// Bounds:    one system call for each descriptor in each round.

#ifndef TROLLEY_POLLER_BACKEND_BUSY_POLLER_H_
#define TROLLEY_POLLER_BACKEND_BUSY_POLLER_H_

#include <atomic>
#include <memory>

#include "trolley/poller/backend/scan_poller.h"

namespace trolley::internal {

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

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_BACKEND_BUSY_POLLER_H_
