// SPDX-License-Identifier: Apache-2.0
//
// Instant: a point in time on the monotonic clock, in whole nanoseconds.
// Deadlines are Instants; lengths of time are absl::Durations. No wait depends
// on the wall clock. The wall clock is read only to show a time of day to
// people.
//
//   Instant deadline = clock.Now() + absl::Seconds(1);
//   absl::Duration left = deadline - clock.Now();
//
// One rule holds for every length of time that the library takes, as an
// argument, in an option or from a wire:
//
//   length                     meaning
//   negative or 0              now: the wait ends at once
//   more than an Instant       never, as InfiniteDuration(); an Instant holds
//   can hold                   292 years from the start of the machine
//   InfiniteDuration()         never
//
// Some fields of options structs refuse some of these with InvalidArgument and
// the name of the field. The comment of such a field says so.
//
// A value type; any thread.

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
  // The epoch of the clock. No clock returns a time as early as this.
  constexpr Instant() = default;

  static constexpr Instant FromNanos(int64_t nanos) { return Instant(nanos); }

  // A deadline that never comes.
  static constexpr Instant Infinite() {
    return Instant(std::numeric_limits<int64_t>::max());
  }

  constexpr int64_t nanos() const { return nanos_; }
  constexpr bool is_infinite() const { return *this == Infinite(); }

  // Infinite() if one of the two is infinite, or if the sum is too late for an
  // Instant. Instant() if the sum is too early. A fraction of a nanosecond is
  // rounded up, so that a deadline is never early.
  friend Instant operator+(Instant at, absl::Duration by) {
    if (at.is_infinite() || by == absl::InfiniteDuration()) return Infinite();
    // Rounds towards zero. Out of range: the nearest int64_t.
    int64_t delta = absl::ToInt64Nanoseconds(by);
    if (absl::Nanoseconds(delta) < by) {
      if (delta == std::numeric_limits<int64_t>::max()) return Infinite();
      ++delta;
    }
    return at.PlusNanos(delta);
  }

  // The same for a number of nanoseconds, which costs less than a Duration.
  constexpr Instant PlusNanos(int64_t nanos) const {
    int64_t sum = 0;
    if (is_infinite() || __builtin_add_overflow(nanos_, nanos, &sum)) {
      return is_infinite() || nanos > 0 ? Infinite() : Instant();
    }
    return Instant(sum);
  }

  // The time from `b` to `a`. Infinite if `a` is infinite; minus infinite if
  // only `b` is infinite.
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
