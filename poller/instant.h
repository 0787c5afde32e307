// SPDX-License-Identifier: Apache-2.0
//
// Instant: a point on the monotonic clock, in whole nanoseconds. Deadlines are
// Instants, lengths of time are absl::Durations. No wait depends on the wall
// clock, which appears only where a time of day is shown to people.
//
// One rule for every length of time that the library takes, in a call, in an
// option or from a wire:
//
//   negative, or 0             the point is now: what waits for it goes on at
//                              once
//   more than an Instant       never, as InfiniteDuration(). An Instant holds
//   holds                      292 years from the start of the machine
//   InfiniteDuration()         never
//
// A field of an options struct may refuse some of these with InvalidArgument,
// which names the field; its comment says so.
//
// A value type: copy it freely, use it from any thread.

#ifndef TROLLEY_POLLER_INSTANT_H_
#define TROLLEY_POLLER_INSTANT_H_

#include <compare>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "trolley/poller/cxx20.h"

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

  // Infinite() if either is infinite, or the sum is later than an Instant can
  // be; Instant() if it is earlier. Fractions of a nanosecond round up, so that
  // a deadline is never early.
  friend Instant operator+(Instant at, absl::Duration by) {
    if (at.is_infinite() || by == absl::InfiniteDuration()) return Infinite();
    // Towards zero; beyond int64_t, the nearest that it has.
    int64_t delta = absl::ToInt64Nanoseconds(by);
    if (absl::Nanoseconds(delta) < by) {
      if (delta == std::numeric_limits<int64_t>::max()) return Infinite();
      ++delta;
    }
    int64_t sum = 0;
    if (__builtin_add_overflow(at.nanos_, delta, &sum)) {
      return delta > 0 ? Infinite() : Instant();
    }
    return Instant(sum);
  }

  // What is left until `a` at the time `b`. Infinite if `a` never comes, minus
  // infinite if only `b` never does.
  friend absl::Duration operator-(Instant a, Instant b) {
    if (a.is_infinite()) return absl::InfiniteDuration();
    if (b.is_infinite()) return -absl::InfiniteDuration();
    return absl::Nanoseconds(a.nanos_) - absl::Nanoseconds(b.nanos_);
  }

  friend constexpr auto operator<=>(Instant, Instant) = default;

 private:
  explicit constexpr Instant(int64_t nanos) : nanos_(nanos) {}

  int64_t nanos_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_INSTANT_H_
