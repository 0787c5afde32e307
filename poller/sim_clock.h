// SPDX-License-Identifier: Apache-2.0
//
// SimClock: time that moves only when it is told to.
//
// Ownership: a SimWorld owns one; a test of timers can do with one alone.
// Threads:   Now() thread-safe; one thread moves it.

#ifndef TROLLEY_POLLER_SIM_CLOCK_H_
#define TROLLEY_POLLER_SIM_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "trolley/poller/clock.h"

namespace trolley {

class SimClock final : public Clock {
 public:
  // One second after the epoch, so that there are deadlines in the past.
  static constexpr Instant kStart = Instant::FromNanos(1'000'000'000);

  Instant Now() const override { return Instant::FromNanos(now_ns_.load()); }

  // Moves to `at`; a time in the past, or one that never comes, leaves the
  // clock where it is.
  void AdvanceTo(Instant at) {
    if (at.is_infinite()) return;
    if (at.nanos() > now_ns_.load()) now_ns_.store(at.nanos());
  }

 private:
  std::atomic<int64_t> now_ns_{kStart.nanos()};
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_SIM_CLOCK_H_
