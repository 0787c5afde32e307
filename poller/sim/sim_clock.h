// SPDX-License-Identifier: Apache-2.0
//
// SimClock: a clock that moves only when AdvanceTo() is called.
//
//   SimClock clock;
//   clock.AdvanceTo(clock.Now() + absl::Seconds(1));
//
// Ownership: a SimWorld owns one. A test of timers may use one alone.
// Threads:   Now() is thread-safe. AdvanceTo(): one thread.

#ifndef TROLLEY_POLLER_SIM_SIM_CLOCK_H_
#define TROLLEY_POLLER_SIM_SIM_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "trolley/poller/clock.h"

namespace trolley::internal {

class SimClock final : public Clock {
 public:
  // The first time: one second after the epoch, so that a deadline can be in
  // the past.
  static constexpr Instant kStart = Instant::FromNanos(1'000'000'000);

  // mutant: P18_SimulatedTimeGoesOnByItself
  Instant Now() const override { return Instant::FromNanos(now_ns_.load()); }

  // Moves the clock to `at`. Does nothing if `at` is in the past or infinite.
  void AdvanceTo(Instant at) {
    if (at.is_infinite()) return;
    if (at.nanos() > now_ns_.load()) now_ns_.store(at.nanos());
  }

 private:
  std::atomic<int64_t> now_ns_{kStart.nanos()};
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_SIM_SIM_CLOCK_H_
