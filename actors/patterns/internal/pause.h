// SPDX-License-Identifier: Apache-2.0
//
// The time, for a pattern that runs in a coroutine of an actor.
//
//   const Instant end = Now() + limit;
//   co_await PauseUntil(end);
//
// Ownership: keeps nothing.
// Threads:   loop thread only.

#ifndef TROLLEY_ACTORS_PATTERNS_INTERNAL_PAUSE_H_
#define TROLLEY_ACTORS_PATTERNS_INTERNAL_PAUSE_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/task.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

// The time of the bus of this loop; of a thread without a loop: Instant(), so
// nothing is late there.
Instant Now();

// Returns at `end`, or so long from now, or later; never before.
Task<> PauseUntil(Instant end);
Task<> PauseFor(absl::Duration length);

// For Within() and WithDeadline(): when the limit comes, and the error then.
Instant EndOf(absl::Duration length);
Instant EndOf(Instant deadline);
absl::Status OutOfTime(absl::Duration length);
absl::Status OutOfTime(Instant deadline);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PATTERNS_INTERNAL_PAUSE_H_
