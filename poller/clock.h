// SPDX-License-Identifier: Apache-2.0
//
// Clock: where a loop reads the time. One real implementation and one virtual
// (poller/sim.h); everything that waits takes a Clock instead of reading one.
//
// Ownership: borrowed; the clock outlives every poller and loop that reads it.
// Threads:   thread-safe.

#ifndef TROLLEY_POLLER_CLOCK_H_
#define TROLLEY_POLLER_CLOCK_H_

#include "trolley/poller/instant.h"

namespace trolley {

class Clock {
 public:
  virtual ~Clock() = default;

  // Never goes backwards.
  virtual Instant Now() const = 0;
};

// CLOCK_MONOTONIC. Stateless; lives as long as the process.
const Clock& MonotonicClock();

}  // namespace trolley

#endif  // TROLLEY_POLLER_CLOCK_H_
