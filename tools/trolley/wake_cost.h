// SPDX-License-Identifier: Apache-2.0
//
// Measures the cost of a wake of a poller on this machine: the time from Wake()
// on one thread to the return of Wait() on another.
//
// Threads:   starts two threads and joins them before it returns.
// Bounds:    ends after `limit`, or after kMostRounds. A wake that takes longer
//            than kGiveUp is an error.

#ifndef TROLLEY_TOOLS_TROLLEY_WAKE_COST_H_
#define TROLLEY_TOOLS_TROLLEY_WAKE_COST_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/pollers.h"
#include "trolley/poller/sys.h"

namespace trolley::tools {

struct WakeCost {
  absl::Duration median;
  absl::Duration least;
  size_t wakes = 0;  // the number of wakes that were measured
};

// Explains the figure to the reader.
inline constexpr char kWakeMethod[] =
    "half the median round trip of two threads that wake each other";

// A round trip takes microseconds. More rounds would not change the result.
inline constexpr size_t kMostRounds = 100'000;
// A wake that takes longer counts as lost.
inline constexpr absl::Duration kGiveUp = absl::Seconds(2);

//   DeadlineExceeded  a wake was lost
//   any other         the error of the factory or of a Wait
absl::StatusOr<WakeCost> MeasureWakeCost(const PollerFactory& create, Sys& sys,
                                         const Clock& clock,
                                         absl::Duration limit);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_WAKE_COST_H_
