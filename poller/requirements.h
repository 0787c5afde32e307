// SPDX-License-Identifier: Apache-2.0
//
// Requirements: what a loop needs from its poller. The loop compares them with
// the poller's Capabilities before it adds the first descriptor.
//
//   absl::Status s = CheckRequirements({.edge = true}, poller->capabilities());
//
// A value type; any thread.

#ifndef TROLLEY_POLLER_REQUIREMENTS_H_
#define TROLLEY_POLLER_REQUIREMENTS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "trolley/poller/capabilities.h"

namespace trolley {

// Each flag that is true here must be true in the Capabilities, which document
// the flags.
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

  int highest_fd = 0;      // the highest descriptor number to be added
  size_t descriptors = 0;  // the number of registrations at one time
};

// OK if `has` meets `needs`.
//
//   FailedPrecondition  it does not; the text names the poller and everything
//                       that it lacks, such as "select lacks: edge, oneshot"
absl::Status CheckRequirements(const Requirements& needs,
                               const Capabilities& has);

}  // namespace trolley

#endif  // TROLLEY_POLLER_REQUIREMENTS_H_
