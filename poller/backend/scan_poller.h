// SPDX-License-Identifier: Apache-2.0
//
// ScanPoller: the base of the three pollers that look at every descriptor in
// every Wait: `select`, `poll` and `busy`. A derived class implements Look().
//
//   kLevel    each look finds what holds
//   kOneshot  a reported descriptor is left out of the look until Modify
//   kEdge     not offered: a look cannot tell an old condition from a new one
//
// Ownership: owns its table; borrows Sys and Clock.
// Threads:   as Poller.
// Bounds:    one table entry for each registration.

#ifndef TROLLEY_POLLER_BACKEND_SCAN_POLLER_H_
#define TROLLEY_POLLER_BACKEND_SCAN_POLLER_H_

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

namespace trolley::internal {

class ScanPoller : public Poller {
 public:
  absl::Status Add(int fd, Token token, Interest interest) final;
  absl::Status Modify(int fd, Token token, Interest interest) final;
  absl::Status Remove(int fd, Token token) final;
  absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                  Instant deadline) final;
  const Capabilities& capabilities() const final { return capabilities_; }

 protected:
  // `wake_fd` is the first descriptor of each look. Negative: there is none.
  ScanPoller(Sys& sys, const Clock& clock, const Capabilities& capabilities,
             int wake_fd);

  // Looks at `items`, waits for `limit` at most, and sets `revents` of each.
  // Skips items with a negative descriptor. POLLNVAL means that a descriptor is
  // not open. Returns a number >= 0, or -errno; after -EINTR it is called
  // again.
  virtual int Look(absl::Span<pollfd> items, WaitLimit& limit) = 0;

  // True once after Wake(). `readable`: the wake descriptor is readable.
  virtual bool TakeWake(bool readable) = 0;

  // The system call that Look() makes, for the Status of an error.
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
  // Without gaps, so that one system call takes all of it. Entry 0 is the wake
  // descriptor. registered_[i] is the registration of items_[i].
  std::vector<pollfd> items_;
  struct Registered {
    int fd;
    Token token;
    Trigger trigger;
  };
  std::vector<Registered> registered_;
  size_t next_ = 1;  // the index where the next Collect() begins, for fairness
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_BACKEND_SCAN_POLLER_H_
