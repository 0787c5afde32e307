// SPDX-License-Identifier: Apache-2.0
//
// Requirements: what a loop needs of its poller, to be held against the
// poller's Capabilities before the first descriptor is added.
//
// A value type, any thread.

#ifndef TROLLEY_POLLER_REQUIREMENTS_H_
#define TROLLEY_POLLER_REQUIREMENTS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "trolley/poller/capabilities.h"

namespace trolley {

// Each flag that is true must be true in the Capabilities; see there for what
// it means.
struct Requirements {
  bool edge = false;
  bool oneshot = false;
  bool rdhup = false;
  bool any_fd = false;
  bool sub_ms = false;
  bool o1_wait = false;
  bool completion = false;
  bool fork_safe = false;
  bool virtual_time = false;

  int highest_fd = 0;      // descriptor numbers up to here
  size_t descriptors = 0;  // this many registrations at one time
};

// FailedPrecondition: names the poller and everything that it lacks, as in
// "select lacks: edge, oneshot".
absl::Status CheckRequirements(const Requirements& needs,
                               const Capabilities& has);

}  // namespace trolley

#endif  // TROLLEY_POLLER_REQUIREMENTS_H_
