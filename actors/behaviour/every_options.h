// SPDX-License-Identifier: Apache-2.0
//
// EveryOptions: when the ticks of an Every (actors/behaviour/every.h) come.
//
//   flush_.Start(this, {.period = absl::Seconds(10),
//                       .jitter = absl::Seconds(1)});
//
// A value; any thread.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_EVERY_OPTIONS_H_
#define TROLLEY_ACTORS_BEHAVIOUR_EVERY_OPTIONS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace trolley {

struct EveryOptions {
  // 1 us: a tick costs about that much, so a shorter period would be a busy
  // loop.
  static constexpr absl::Duration kShortestPeriod = absl::Microseconds(1);

  // From one point in time to the next, kShortestPeriod at least. Infinite: no
  // tick ever comes. 1 s: often enough for most things, and it costs nothing.
  absl::Duration period = absl::Seconds(1);

  // Each point is later by a random length of time, from 0 to this; 0 to
  // `period`. It spreads the ticks of many actors that have started together.
  // The lengths do not add up. 0: no jitter.
  absl::Duration jitter = absl::ZeroDuration();
  // Decides the lengths. 0: a seed is made from the actor's id and from
  // ActorContext::instance_id(), so each actor of each run has another one.
  uint64_t seed = 0;

  // True: the first point is the time of Start(). False: one period later.
  bool at_start = false;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateEveryOptions(const EveryOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_EVERY_OPTIONS_H_
