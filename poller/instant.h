// SPDX-License-Identifier: Apache-2.0
//
// Instant: a point on the monotonic clock, in whole nanoseconds. Deadlines are
// Instants, lengths of time are absl::Durations; the wall clock appears nowhere
// below the tools.
//
// A value type: copy it freely, use it from any thread.

#ifndef TROLLEY_POLLER_INSTANT_H_
#define TROLLEY_POLLER_INSTANT_H_

#include <compare>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace trolley {

class Instant {
 public:
  // The epoch of the clock; earlier than anything a clock returns.
  constexpr Instant() = default;

  static constexpr Instant FromNanos(int64_t nanos) { return Instant(nanos); }

  // A deadline that never comes.
  static constexpr Instant Infinite() {
    return Instant(std::numeric_limits<int64_t>::max());
  }

  constexpr int64_t nanos() const { return nanos_; }
  constexpr bool is_infinite() const { return *this == Infinite(); }

  // Adding an infinite (or overflowing) duration gives Infinite(); fractions of
  // a nanosecond round up, so that a deadline is never early.
  friend Instant operator+(Instant at, absl::Duration by) {
    if (at.is_infinite() || by == absl::InfiniteDuration()) return Infinite();
    int64_t delta = absl::ToInt64Nanoseconds(by);  // towards zero
    if (absl::Nanoseconds(delta) < by) ++delta;
    int64_t sum = 0;
    if (__builtin_add_overflow(at.nanos_, delta, &sum)) {
      return delta > 0 ? Infinite() : Instant();
    }
    return Instant(sum);
  }

  friend absl::Duration operator-(Instant a, Instant b) {
    if (a.is_infinite()) return absl::InfiniteDuration();
    return absl::Nanoseconds(a.nanos_) - absl::Nanoseconds(b.nanos_);
  }

  friend constexpr auto operator<=>(Instant, Instant) = default;

 private:
  explicit constexpr Instant(int64_t nanos) : nanos_(nanos) {}

  int64_t nanos_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_INSTANT_H_
