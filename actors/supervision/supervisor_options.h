// SPDX-License-Identifier: Apache-2.0
//
// The options of a Supervisor: which children it restarts together, how often,
// and after which wait.
//
//   trolley::SupervisorOptions options = {
//       .strategy = trolley::Strategy::kRestForOne,
//       .max_restarts = 3,
//       .within = absl::Seconds(10),
//       .backoff = {.first = absl::Milliseconds(50)},
//   };
//
// Ownership: values.
// Threads:   any.
// Bounds:    each field says its range.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_SUPERVISION_SUPERVISOR_OPTIONS_H_
#define TROLLEY_ACTORS_SUPERVISION_SUPERVISOR_OPTIONS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace trolley {

// Which children a supervisor restarts when one of them has failed. It stops
// the others first, in the reverse order of the list.
enum class Strategy : uint8_t {
  kOneForOne,   // that child
  kOneForAll,   // all of them
  kRestForOne,  // that child and those after it
};

// How long a supervisor waits before it restarts a child. The wait before
// restart number n in a row is first * factor^(n-1), and at most `most`. Chance
// then makes it shorter, by at most the share `jitter`. A child that was up for
// SupervisorOptions::within begins again with n = 1.
struct Backoff {
  static constexpr double kMostFactor = 100;

  // 0: restarts at once. 100 ms: a partner that has just gone often needs as
  // long to come back. Infinite: never restarts.
  absl::Duration first = absl::Milliseconds(100);
  // 10 s: a person who repairs something does not wait long.
  absl::Duration most = absl::Seconds(10);
  // 1 to kMostFactor.
  double factor = 2;
  // 0 to 1. 0.5: children that failed together do not return together.
  double jitter = 0.5;
};

struct SupervisorOptions {
  static constexpr uint32_t kMostRestarts = 1024;
  static constexpr uint32_t kMostChildren = 4096;

  Strategy strategy = Strategy::kOneForOne;

  // The budget, 0 to kMostRestarts; a count. The supervisor restarts so many
  // times `within` this time. At the next failure it escalates: it stops its
  // children and fails. 1 in 5 s: as in Erlang/OTP. A failure that restarts
  // several children counts once. RestartChild does not count.
  uint32_t max_restarts = 1;
  // A restart counts for so long, and no longer: of two failures exactly
  // `within` apart, the second is the first again. 0: none counts at the next.
  // Infinite: each counts for ever.
  absl::Duration within = absl::Seconds(5);
  Backoff backoff = {};

  // A child that was stopped hard must end within this time. If it does not,
  // because a handler does not return, the supervisor goes on without it
  // (ChildState::kStuck). 1 s: the end of an actor needs some microseconds.
  absl::Duration patience = absl::Seconds(1);
  // Children at one time, 1 to kMostChildren; a count. A further StartChild is
  // ResourceExhausted. 1024: each costs an actor and about 500 bytes. Make a
  // tree for more.
  uint32_t max_children = 1024;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateSupervisorOptions(const SupervisorOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SUPERVISION_SUPERVISOR_OPTIONS_H_
