// SPDX-License-Identifier: Apache-2.0
//
// LoopClock: the time for one loop.
//
//   Now()      exact
//   Recent()   up to kMostBehindNanos behind Now(), at a third of the cost; for
//              code that runs millions of times a second
//   Ticks()    a counter, to compare short spans of time roughly
//
// Recent() reads the time stamp counter of the CPU (TSC). It reads the clock
// only if the counter shows that the last reading of the clock is old.
//
// Ownership: part of a loop; borrows the clock.
// Threads:   loop thread only.

#ifndef TROLLEY_BUS_LOOP_LOOP_CLOCK_H_
#define TROLLEY_BUS_LOOP_LOOP_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"
#include "trolley/poller/clock.h"

namespace trolley::internal {

class LoopClock {
 public:
  // How far Recent() may be behind, in nanoseconds. It assumes that a TSC ticks
  // at least once in a nanosecond, as all known ones do.
  static constexpr int64_t kMostBehindNanos = 1024;

  explicit LoopClock(const Clock& clock)
      : clock_(clock), has_counter_(&clock == &MonotonicClock()) {}

  Instant Now() const { return clock_.Now(); }

  // Never later than Now(), never earlier than an earlier Recent(), and at most
  // kMostBehindNanos behind.
  Instant Recent() {
#if defined(__x86_64__)
    if (has_counter_) {
      const uint64_t ticks = __builtin_ia32_rdtsc();
      // Unsigned: if the TSC of this CPU is behind, the difference is large.
      if (ticks - read_at_ < kMostBehindNanos) return recent_;
      read_at_ = ticks;
      return recent_ = clock_.Now();
    }
#endif
    return clock_.Now();
  }

  // Ticks of the TSC, 1 to 5 in a nanosecond; nanoseconds where there is none.
  // For rough comparisons only.
  uint64_t Ticks() const {
#if defined(__x86_64__)
    if (has_counter_) return __builtin_ia32_rdtsc();
#endif
    return static_cast<uint64_t>(clock_.Now().nanos());
  }

  // A time that is at least `after` from now, although Recent() may be behind.
  Instant After(absl::Duration after) {
    // mutant: P18_TimersAreSetByARealClock
    const Instant at = Recent() + after;
    return has_counter_ ? at.PlusNanos(kMostBehindNanos) : at;
  }

 private:
  const Clock& clock_;
  const bool has_counter_;
  uint64_t read_at_ = 0;
  Instant recent_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_LOOP_CLOCK_H_
