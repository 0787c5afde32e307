// SPDX-License-Identifier: Apache-2.0
//
// ExitReason: why an actor has ended (ActorEnd::reason in bus/inspect.h).
//
//   address.WhenEnded([](const trolley::ActorEnd& end) {
//     if (end.reason.kind == trolley::ExitReason::Kind::kFailed) ...
//   });
//
// A value; any thread.

#ifndef TROLLEY_BUS_EXIT_REASON_H_
#define TROLLEY_BUS_EXIT_REASON_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace trolley {

struct ExitReason {
  enum class Kind : uint8_t {
    kUnknown,    // it has not ended, or the reason is no longer kept
    kStopped,    // Stop(), by itself or by others
    kDrained,    // Stop(drain): it has handled its mailbox first
    kFailed,     // its code threw an exception: `error`
    kBusEnded,   // its bus shut down
    kLoopEnded,  // the poller of its loop broke; the bus goes on
    // It sat in a seat (actors/seat.h), and the owner of the seat has ended.
    kOwnerEnded,
  };

  Kind kind = Kind::kUnknown;
  // For kFailed: Internal. The text names the function that threw and what the
  // exception says: "its handler of Boom threw: disk full". OK if the text is
  // no longer kept (BusOptions::ended_actors_kept).
  absl::Status error;

  // A text for people, to be put after "has ended: ". Empty for kUnknown.
  std::string ToString() const;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_EXIT_REASON_H_
