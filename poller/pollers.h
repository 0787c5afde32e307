// SPDX-License-Identifier: Apache-2.0
//
// The pollers that come with the bus: one explicit list. To use a poller of
// one's own, pass its factory to the loop; nothing registers itself here.
//
// Thread-safe; no state.

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

// Makes a poller, or says why this machine cannot. Sys and Clock outlive the
// poller.
using PollerFactory =
    std::function<absl::StatusOr<std::unique_ptr<Poller>>(Sys&, const Clock&)>;

struct NamedPoller {
  std::string_view name;  // a literal; equals Capabilities::name
  PollerFactory create;
};

// In the order in which ChoosePoller() tries them. epoll comes first because
// it is the fastest for descriptors that stay registered, which those of a loop
// do. `sim` is not here: it needs a world, see poller/sim.h.
std::vector<NamedPoller> BuiltinPollers();

// NotFound: names the ones there are. Else what the factory said.
absl::StatusOr<std::unique_ptr<Poller>> CreatePoller(std::string_view name,
                                                     Sys& sys,
                                                     const Clock& clock);

struct PollerChoice {
  struct Refusal {
    std::string name;
    absl::Status why;  // the machine's reason, or what the poller lacks
  };
  std::unique_ptr<Poller> poller;
  std::vector<Refusal> refused;  // those tried before it, in order
};

// The first of BuiltinPollers() that this machine allows and that meets
// `needs`. FailedPrecondition: none; says why for each.
absl::StatusOr<PollerChoice> ChoosePoller(const Requirements& needs, Sys& sys,
                                          const Clock& clock);

}  // namespace trolley

#endif  // TROLLEY_POLLER_POLLERS_H_
