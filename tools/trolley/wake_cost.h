// SPDX-License-Identifier: Apache-2.0
//
// What one wake of a poller costs on this machine, from Wake() on one thread to
// the return of Wait() on another.
//
// Threads:   starts two and joins them before it returns.
// Bounds:    `limit` of time, one wake given up after kGiveUp, and kMostRounds.

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
  size_t wakes = 0;  // that were measured
};

// For who reads the figure.
inline constexpr char kWakeMethod[] =
    "half the median round trip of two threads that wake each other";

// A round trip takes microseconds: more rounds than these say nothing new.
inline constexpr size_t kMostRounds = 100'000;
// A wake that takes longer counts as lost.
inline constexpr absl::Duration kGiveUp = absl::Seconds(2);

// Errors: what the factory or a Wait said. DeadlineExceeded: a wake was lost.
absl::StatusOr<WakeCost> MeasureWakeCost(const PollerFactory& create, Sys& sys,
                                         const Clock& clock,
                                         absl::Duration limit);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_WAKE_COST_H_
