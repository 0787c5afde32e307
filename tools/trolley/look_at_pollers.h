// SPDX-License-Identifier: Apache-2.0
//
// Looks at the pollers of this machine: which ones work, the capabilities and
// the cost of each, and which one `auto` takes.
//
// Threads:   any; one at a time.

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

// The names of the capabilities that can be required, such as "edge"; see
// poller/capabilities.h.
std::vector<std::string> CapabilityWords();

// Reads requirements such as "edge,any_fd".
//
//   InvalidArgument  a word is not a capability; the text has the word, and the
//                    one that was probably meant
absl::StatusOr<Requirements> ParseRequirements(absl::string_view words);

// Measures each poller, for at most `measure` (tools/trolley/wake_cost.h).
PollerReport LookAtPollers(const Requirements& needs, Sys& sys,
                           const Clock& clock, absl::Duration measure);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_LOOK_AT_POLLERS_H_
