// SPDX-License-Identifier: Apache-2.0
//
// Clock: where a loop reads the time. There is a real one (MonotonicClock) and
// a simulated one (poller/sim.h). Everything that waits is given a Clock and
// reads no other.
//
//   Instant deadline = clock.Now() + absl::Milliseconds(10);
//
// Ownership: borrowed. A Clock outlives every poller and loop that reads it.
// Threads:   thread-safe.

#ifndef TROLLEY_POLLER_CLOCK_H_
#define TROLLEY_POLLER_CLOCK_H_

#include "trolley/poller/instant.h"

namespace trolley {

class Clock {
 public:
  virtual ~Clock() = default;

  // The time now. It never goes backwards.
  virtual Instant Now() const = 0;
};

// Reads CLOCK_MONOTONIC. It has no state and lives as long as the process.
const Clock& MonotonicClock();

}  // namespace trolley

#endif  // TROLLEY_POLLER_CLOCK_H_
