// SPDX-License-Identifier: Apache-2.0
//
// TellAt: an actor sends itself a message at a point in time.
//
//   void On(const Lease& m) {
//     timer_ = trolley::TellAt(this, m.expires, Expired{m.id});
//   }
//
// It is Actor::TellAfter() for an Instant. Actor::CancelTimer() takes the
// message back. There is no form for a time of day, because no wait of the
// library follows the wall clock (poller/instant.h).
//
// Ownership: the bus keeps the message until then.
// Threads:   loop thread only: OnStart(), handlers, tasks and OnDrain() of the
//            actor. Not in its constructor.
// Bounds:    as many as the actor sets. A full mailbox refuses none.
// Ends:      the message comes once, or is cancelled, at the latest with the
//            actor.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_TELL_AT_H_
#define TROLLEY_ACTORS_BEHAVIOUR_TELL_AT_H_

#include <type_traits>
#include <utility>

#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/internal/actor_verbs.h"
#include "trolley/poller/instant.h"

namespace trolley {

// Sends `message` to `self` at `at` or later, never earlier. An `at` in the
// past is now. Instant::Infinite() is never.
template <typename A, typename M>
TimerId TellAt(A* self, Instant at, M&& message) {
  return internal::ActorVerbs::TellLater<std::decay_t<M>>(
      self, at - internal::ActorVerbs::ContextOf(*self).Now(),
      std::forward<M>(message));
}

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_TELL_AT_H_
