// SPDX-License-Identifier: Apache-2.0
//
// ScanPoller: what the three pollers have in common that look at every
// descriptor on every wait: `select`, `poll` and `busy`. Each of them only says
// how it looks.
//
// Ownership: owns its table; borrows Sys and Clock.
// Threads:   as Poller.
// Bounds:    a table entry per registration.
//
// Level comes by itself: a look finds what is there. Oneshot is a descriptor
// that is left out of the look until Modify. Edge is not to be had: a look
// cannot tell an old condition from a new one.

#ifndef TROLLEY_POLLER_SCAN_POLLER_H_
#define TROLLEY_POLLER_SCAN_POLLER_H_

#include <poll.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/registrations.h"
#include "trolley/poller/sys.h"
#include "trolley/poller/wait_limit.h"

namespace trolley {

class ScanPoller : public Poller {
 public:
  absl::Status Add(int fd, Token token, Interest interest) final;
  absl::Status Modify(int fd, Token token, Interest interest) final;
  absl::Status Remove(int fd, Token token) final;
  absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                  Instant deadline) final;
  const Capabilities& capabilities() const final { return capabilities_; }

 protected:
  // `wake_fd` is looked at before all others; negative means there is none.
  ScanPoller(Sys& sys, const Clock& clock, const Capabilities& capabilities,
             int wake_fd);

  // Looks at `items`, for `limit` at most, and sets the `revents` of each;
  // those with a negative descriptor are to be left out. POLLNVAL says that one
  // is not open. >= 0, or -errno; -EINTR is tried again.
  virtual int Look(absl::Span<pollfd> items, WaitLimit& limit) = 0;

  // Whether there was a Wake(), once. `readable`: the wake descriptor is.
  virtual bool TakeWake(bool readable) = 0;

  // The call that Look() makes, for its Status.
  virtual SysCall look_call() const = 0;

  Sys& sys() { return sys_; }

 private:
  struct Entry : Registration {
    size_t at = 0;  // in items_
  };

  void Arm(pollfd& item, int fd, Interest interest);
  size_t Collect(absl::Span<Event> events);

  Sys& sys_;
  const Clock& clock_;
  const Capabilities capabilities_;
  Registrations<Entry> registrations_;
  // Dense, so that one system call can take all of it. Entry 0 is the wake
  // descriptor; who_[i] is whose items_[i] is.
  std::vector<pollfd> items_;
  struct Owner {
    int fd;
    Token token;
    Trigger trigger;
  };
  std::vector<Owner> who_;
  size_t next_ = 1;  // where the next Collect() begins, for fairness
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_SCAN_POLLER_H_
