// SPDX-License-Identifier: Apache-2.0
//
// Capabilities: what a poller can do, said before anyone relies on it. A loop
// that requires one its poller lacks fails at start and names it.
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
  // The poller's name, as in LoopOptions::poller: "epoll". A literal.
  std::string_view name;

  bool edge = false;     // Trigger::kEdge
  bool oneshot = false;  // Trigger::kOneshot
  bool rdhup = false;    // Ready::kReadHangup
  bool any_fd = false;   // regular files are accepted and always ready
  bool sub_ms = false;   // deadlines finer than a millisecond are kept
  bool o1_wait = false;  // the cost of Wait grows with ready, not with watched
  bool completion = false;    // Poller::completions(): reads and writes itself
  bool thread_bound = false;  // first use binds it to that thread
  bool fork_safe = false;     // a forked child cannot disturb the parent's
  bool virtual_time = false;  // deadlines are reached by moving a clock

  // Highest descriptor number accepted.
  int max_fd = std::numeric_limits<int>::max();
  // Most registrations at one time.
  size_t max_descriptors = std::numeric_limits<size_t>::max();
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_CAPABILITIES_H_
