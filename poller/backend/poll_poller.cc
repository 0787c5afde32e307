// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/backend/poll_poller.h"

namespace trolley::internal {

absl::StatusOr<std::unique_ptr<Poller>> PollPoller::Create(Sys& sys,
                                                           const Clock& clock) {
  absl::StatusOr<ScopedFd> wake = WakeFd::Open(sys);
  if (!wake.ok()) return wake.status();
  return std::unique_ptr<Poller>(new PollPoller(sys, clock, *std::move(wake)));
}

PollPoller::PollPoller(Sys& sys, const Clock& clock, ScopedFd wake)
    : ScanPoller(sys, clock,
                 {.name = "poll",
                  .oneshot = true,
                  .rdhup = true,
                  .any_fd = true,
                  .sub_ms = true},
                 wake.get()),
      wake_(sys, std::move(wake)) {}

int PollPoller::Look(absl::Span<pollfd> items, WaitLimit& limit) {
  return sys().Ppoll(items, limit.spec());
}

}  // namespace trolley::internal
