// SPDX-License-Identifier: Apache-2.0
//
// Capabilities: what a poller can do. A loop checks them when it starts: if it
// requires one that its poller lacks, the start fails with a Status that names
// it (poller/requirements.h).
//
//   if (poller->capabilities().edge) {
//     interest.trigger = trolley::Trigger::kEdge;
//   }
//
// Immutable after construction.

#ifndef TROLLEY_POLLER_CAPABILITIES_H_
#define TROLLEY_POLLER_CAPABILITIES_H_

#include <cstddef>
#include <limits>
#include <string_view>

#include "trolley/poller/cxx20.h"

namespace trolley {

struct Capabilities {
  // The poller's name as in LoopOptions::poller, such as "epoll". A literal.
  std::string_view name;

  bool edge = false;          // Trigger::kEdge
  bool oneshot = false;       // Trigger::kOneshot
  bool rdhup = false;         // Ready::kReadHangup
  bool any_fd = false;        // accepts regular files, which are always ready
  bool sub_ms = false;        // deadlines are finer than a millisecond
  bool o1_wait = false;       // Wait costs time per ready, not per watched fd
  bool completion = false;    // Poller::completions() is not null
  bool thread_bound = false;  // only the thread that used it first may use it
  bool fork_safe = false;     // use in a forked child does not harm the parent
  bool virtual_time = false;  // Wait moves a simulated clock instead of waiting

  // The highest descriptor number that Add accepts.
  int max_fd = std::numeric_limits<int>::max();
  // The most registrations at one time.
  size_t max_descriptors = std::numeric_limits<size_t>::max();
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_CAPABILITIES_H_
