// SPDX-License-Identifier: Apache-2.0
//
// ActorClass: what a bus knows of the C++ class of an actor. There is one
// static object for each class (actors/internal/actor_class_of.h).
//
//   class Account : public trolley::Actor {
//     static constexpr bool kInterleaved = true;
//     static constexpr absl::Duration kOvertime = absl::Seconds(1);
//   };
//
// Immutable; any thread.

#ifndef TROLLEY_BUS_MAILBOX_ACTOR_CLASS_H_
#define TROLLEY_BUS_MAILBOX_ACTOR_CLASS_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/mailbox/actor_base.h"
#include "trolley/bus/mailbox/wire_method.h"

namespace trolley::internal {

// The link that takes an actor's messages to another process.
struct LeavesBy {
  ActorId link;               // empty: it was given no link
  const void* bus = nullptr;  // the bus that `link` is of
};

struct ActorClass {
  // The name of the class, for people.
  absl::string_view (*name)();
  // The messages that it takes from other processes (`Receives`); may be empty.
  absl::Span<const WireMethod* const> (*wire_methods)();
  // `kInterleaved`. True: an actor handles its next message while a coroutine
  // handler waits.
  bool interleaved = false;
  // `kOvertime`: how long after the deadline of its message a suspended handler
  // may go on before it is cancelled.
  absl::Duration overtime = absl::ZeroDuration();
  // A background task for OnStartTask() of `actor` (actors/seat.h), a
  // SuspendedHandler. Null: the class has none.
  HandlerCoroutine* (*start_task)(ActorBase& actor) = nullptr;
  // The link of `actor`. Null, for a class without `kLeadsOverALink = true`:
  // messages to its actors do not leave the process.
  LeavesBy (*leaves_by)(const ActorBase& actor) = nullptr;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_ACTOR_CLASS_H_
