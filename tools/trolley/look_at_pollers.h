// SPDX-License-Identifier: Apache-2.0
//
// Looking at the pollers of this machine: which there are, what each can do and
// costs, and which one `auto` takes.
//
// Threads: any; one at a time.

#ifndef TROLLEY_TOOLS_TROLLEY_LOOK_AT_POLLERS_H_
#define TROLLEY_TOOLS_TROLLEY_LOOK_AT_POLLERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/requirements.h"
#include "trolley/poller/sys.h"
#include "trolley/tools/trolley/poller_report.pb.h"

namespace trolley::tools {

// The words of poller/capabilities.h, "edge" and the others.
std::vector<std::string> CapabilityWords();

// "edge,any_fd" as requirements. InvalidArgument: names the word that is none,
// and the one that was meant.
absl::StatusOr<Requirements> ParseRequirements(absl::string_view words);

// Measures each poller for `measure` at most (tools/trolley/wake_cost.h).
PollerReport LookAtPollers(const Requirements& needs, Sys& sys,
                           const Clock& clock, absl::Duration measure);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_LOOK_AT_POLLERS_H_
