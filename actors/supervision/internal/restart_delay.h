// SPDX-License-Identifier: Apache-2.0
//
// RestartDelay: how long one child waits before its next start (Backoff in
// actors/supervision/supervisor_options.h).
//
//   delay.BeginUp(now);                        // its start has finished
//   wait = delay.Next(options, now, chance);   // it has failed
//
// Ownership: a value.
// Threads:   one.
// Bounds:    none.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_SUPERVISION_INTERNAL_RESTART_DELAY_H_
#define TROLLEY_ACTORS_SUPERVISION_INTERNAL_RESTART_DELAY_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/time/time.h"
#include "trolley/actors/supervision/supervisor_options.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

// The wait before the restart after `failures` failures in a row, at least 1.
// `chance`: 0 to 1, how much of the jitter is taken away.
inline absl::Duration BackoffAfter(const Backoff& backoff, uint32_t failures,
                                   double chance) {
  if (std::min(backoff.first, backoff.most) <= absl::ZeroDuration()) {
    return absl::ZeroDuration();
  }
  const double growth = std::pow(backoff.factor, failures - 1.0);
  const absl::Duration whole = std::min(backoff.first * growth, backoff.most);
  return whole * (1 - backoff.jitter * chance);
}

class RestartDelay {
 public:
  void BeginUp(Instant now) { up_since_ = now; }
  // It was up, and the supervisor has stopped it: no failure.
  void EndUp() { up_since_.reset(); }

  // It has failed at `now`. `chance`: 0 to 1, from a random number.
  absl::Duration Next(const SupervisorOptions& options, Instant now,
                      double chance) {
    if (up_since_.has_value() && now - *up_since_ >= options.within) {
      // mutant: P20_TheBackoffDoesNotBeginAgain
      failures_ = 0;
    }
    up_since_.reset();
    // mutant: P20_TheBackoffDoesNotGrow
    if (failures_ < std::numeric_limits<uint32_t>::max()) ++failures_;
    return BackoffAfter(options.backoff, failures_, chance);
  }

 private:
  std::optional<Instant> up_since_;
  uint32_t failures_ = 0;  // in a row
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_SUPERVISION_INTERNAL_RESTART_DELAY_H_
