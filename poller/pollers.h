// SPDX-License-Identifier: Apache-2.0
//
// Pollers that come with the bus: one list, written out in pollers.cc. A poller
// of your own is not registered here; pass its factory in LoopOptions::factory.
//
//   auto poller = CreatePoller("epoll", RealSys(), MonotonicClock());
//   auto choice = ChoosePoller({.edge = true}, RealSys(), MonotonicClock());
//
// Ownership: the caller owns the pollers. Sys and Clock outlive them.
// Threads:   thread-safe; no state.

#ifndef TROLLEY_POLLER_POLLERS_H_
#define TROLLEY_POLLER_POLLERS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/requirements.h"
#include "trolley/poller/sys.h"

namespace trolley {

// Makes a poller, or returns the reason why this machine cannot have it. Sys
// and Clock outlive the poller.
using PollerFactory =
    std::function<absl::StatusOr<std::unique_ptr<Poller>>(Sys&, const Clock&)>;

struct NamedPoller {
  std::string_view name;  // a literal; equals Capabilities::name
  PollerFactory create;
};

// The pollers in the order in which ChoosePoller() tries them. epoll is first
// because it is the fastest for descriptors that stay registered, as those of a
// loop do. `sim` is not in the list, because it needs a world; see
// poller/sim.h.
std::vector<NamedPoller> BuiltinPollers();

// Makes the poller of that name.
//
//   NotFound   there is no such poller; the text lists the names
//   any other  the error of the factory
absl::StatusOr<std::unique_ptr<Poller>> CreatePoller(std::string_view name,
                                                     Sys& sys,
                                                     const Clock& clock);

struct PollerChoice {
  struct Refusal {
    std::string name;
    absl::Status why;  // the error of its factory, or what it lacks
  };
  std::unique_ptr<Poller> poller;
  std::vector<Refusal> refused;  // those that were tried first, in order
};

// Makes the first poller of BuiltinPollers() that this machine allows and that
// meets `needs`.
//
//   FailedPrecondition  there is none; the text has the reason for each
absl::StatusOr<PollerChoice> ChoosePoller(const Requirements& needs, Sys& sys,
                                          const Clock& clock);

}  // namespace trolley

#endif  // TROLLEY_POLLER_POLLERS_H_
