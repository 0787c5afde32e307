// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/backend/busy_poller.h"

#include <errno.h>

namespace trolley::internal {

absl::StatusOr<std::unique_ptr<Poller>> BusyPoller::Create(Sys& sys,
                                                           const Clock& clock) {
  return std::unique_ptr<Poller>(new BusyPoller(sys, clock));
}

BusyPoller::BusyPoller(Sys& sys, const Clock& clock)
    : ScanPoller(sys, clock,
                 {.name = "busy",
                  .oneshot = true,
                  .rdhup = true,
                  .any_fd = true,
                  .sub_ms = true,
                  .fork_safe = true},
                 /*wake_fd=*/-1) {}

// Does one round. Wait() calls it in a loop and reads the clock between.
int BusyPoller::Look(absl::Span<pollfd> items, WaitLimit& /*limit*/) {
  const timespec now = {};
  int found = 0;
  for (pollfd& item : items) {
    item.revents = 0;
    if (item.fd < 0) continue;
    int ready = 0;
    do {
      ready = sys().Ppoll({&item, 1}, &now);
    } while (ready == -EINTR);
    if (ready < 0) return ready;
    found += ready;
  }
  return found;
}

}  // namespace trolley::internal
