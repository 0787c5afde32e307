// SPDX-License-Identifier: Apache-2.0
//
// The extreme lengths of time, and the result of the rule of poller/instant.h
// for each. Every parameter, option and wire field that is a length of time or
// a deadline has a case that tries all of them. tests/tidy finds the ones
// without a case, by the name that is given to ForEachExtreme:
//
//   ForEachExtreme("actors/ref.h Ask(timeout)", [&](const Extreme& e) {
//     ... e.value ...
//   });
//
// Values; any thread.

#ifndef TROLLEY_TESTS_POLLER_EXTREME_DURATIONS_H_
#define TROLLEY_TESTS_POLLER_EXTREME_DURATIONS_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/poller/instant.h"

namespace trolley {

struct Extreme {
  std::string name;
  absl::Duration value;

  bool positive() const { return value > absl::ZeroDuration(); }
  // Over before a test could notice, or not within the life of a machine.
  bool soon() const { return value <= absl::Nanoseconds(1); }
  // The rule: later than an Instant can be is never.
  bool never() const { return value > absl::Hours(24 * 365) * 291; }

  // As a deadline, on a clock that has just been started.
  Instant After(Instant now) const { return now + value; }
};

inline std::vector<Extreme> Extremes() {
  const absl::Duration years = absl::Hours(24 * 365);
  const absl::Duration largest =
      absl::Seconds(std::numeric_limits<int64_t>::max()) +
      absl::Nanoseconds(999'999'999);
  return {
      {"minus infinity", -absl::InfiniteDuration()},
      {"the least that is finite", -largest},
      {"minus 9999 years", -9999 * years},
      {"minus 300 years", -300 * years},
      {"minus 290 years", -290 * years},
      {"minus 1 ns", absl::Nanoseconds(-1)},
      {"0", absl::ZeroDuration()},
      {"a quarter of a nanosecond", absl::Nanoseconds(1) / 4},
      {"1 ns", absl::Nanoseconds(1)},
      {"290 years", 290 * years},
      {"300 years", 300 * years},
      {"9999 years", 9999 * years},
      {"the largest that is finite", largest},
      {"infinity", absl::InfiniteDuration()},
  };
}

template <typename Case>
void ForEachExtreme(const char* what, Case check) {
  for (const Extreme& e : Extremes()) {
    SCOPED_TRACE(std::string(what) + " at " + e.name);
    check(e);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace trolley

#endif  // TROLLEY_TESTS_POLLER_EXTREME_DURATIONS_H_
