// SPDX-License-Identifier: Apache-2.0
//
// PlainPoller: an example of a poller of your own, in a hundred lines. It calls
// ppoll(2) with a list that it makes anew for each wait. It is level-triggered;
// its Capabilities say so.
//
// Ownership: a loop owns it; Sys and Clock outlive it.
// Threads:   as trolley::Poller: the thread of the loop. Wake(): thread-safe.
// Bounds:    one pollfd for each registration.
// Ends:      with its loop.

#ifndef TROLLEY_EXAMPLES_CUSTOM_POLLER_PLAIN_POLLER_H_
#define TROLLEY_EXAMPLES_CUSTOM_POLLER_PLAIN_POLLER_H_

#include <poll.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/registrations.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"
#include "trolley/poller/wake_fd.h"

class PlainPoller final : public trolley::Poller {
 public:
  // A trolley::PollerFactory. ResourceExhausted: no descriptor is left.
  static absl::StatusOr<std::unique_ptr<trolley::Poller>> Create(
      trolley::Sys& sys, const trolley::Clock& clock);

  absl::Status Add(int fd, trolley::Token token,
                   trolley::Interest interest) override;
  absl::Status Modify(int fd, trolley::Token token,
                      trolley::Interest interest) override;
  absl::Status Remove(int fd, trolley::Token token) override;
  absl::StatusOr<trolley::WaitResult> Wait(absl::Span<trolley::Event> events,
                                           trolley::Instant deadline) override;
  void Wake() override { wake_.Notify(); }
  const trolley::Capabilities& capabilities() const override { return can_; }

 private:
  struct Watched : trolley::Registration {
    bool closed = false;  // its owner closed it without Remove(): not polled
  };

  PlainPoller(trolley::Sys& sys, const trolley::Clock& clock,
              trolley::ScopedFd wake)
      : sys_(sys), clock_(clock), wake_(sys, std::move(wake)) {}

  void List();
  size_t Collect(absl::Span<trolley::Event> events);

  trolley::Sys& sys_;
  const trolley::Clock& clock_;
  trolley::WakeFd wake_;
  const trolley::Capabilities can_ = {
      .name = "plain", .rdhup = true, .any_fd = true, .sub_ms = true};
  trolley::Registrations<Watched> watched_;

  // What one wait looks at: entry 0 is the wake descriptor, entry i + 1 is
  // owners_[i].
  std::vector<pollfd> items_;
  std::vector<Watched*> owners_;
  size_t next_ = 0;  // where Collect() goes on, so that no descriptor starves
};

#endif  // TROLLEY_EXAMPLES_CUSTOM_POLLER_PLAIN_POLLER_H_
