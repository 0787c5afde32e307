// SPDX-License-Identifier: Apache-2.0
//
// LoopClock: the time as one loop reads it. Recent() is for what happens
// millions of times a second and can bear to be a little behind: it reads the
// processor's time stamp counter, a third of the price of the clock, and the
// clock itself only when the counter says that the last reading is old.
//
// Ownership: part of a loop; borrows the clock.
// Threads:   loop thread only.

#ifndef TROLLEY_BUS_LOOP_CLOCK_H_
#define TROLLEY_BUS_LOOP_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"
#include "trolley/poller/clock.h"

namespace trolley {

class LoopClock {
 public:
  // How far Recent() may be behind. A counter that ticks slower than a billion
  // times a second is not known among the processors that have it at all.
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
      // Unsigned: a counter that another CPU has behind ours reads as old.
      if (ticks - read_at_ < kMostBehindNanos) return recent_;
      read_at_ = ticks;
      return recent_ = clock_.Now();
    }
#endif
    return clock_.Now();
  }

  // What grows by 1 to 5 in a nanosecond, for telling long from short.
  uint64_t Ticks() const {
#if defined(__x86_64__)
    if (has_counter_) return __builtin_ia32_rdtsc();
#endif
    return static_cast<uint64_t>(clock_.Now().nanos());
  }

  // The soonest point that is `after` from now on, whatever Recent() is behind.
  Instant After(absl::Duration after) {
    const Instant at = Recent() + after;
    return has_counter_ ? at + absl::Nanoseconds(kMostBehindNanos) : at;
  }

 private:
  const Clock& clock_;
  const bool has_counter_;
  uint64_t read_at_ = 0;
  Instant recent_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LOOP_CLOCK_H_
