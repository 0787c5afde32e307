// SPDX-License-Identifier: Apache-2.0
//
// ActorVerbs: the protected verbs of an actor, for a helper that is a member of
// that actor and acts for it.
//
//   ActorVerbs::TellSoon(owner, Tick{...});   // as owner->TellAfter(0, ...)
//
// A class that derives from Actor may name the protected members of Actor. It
// may not call them on another object, but a pointer to member may. So Actor
// needs no friend for each helper.
//
// Ownership: functions; they keep nothing.
// Threads:   as the verb of Actor.
// Bounds:    as the verb of Actor.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_ACTOR_VERBS_H_
#define TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_ACTOR_VERBS_H_

#include <utility>

#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/context.h"
#include "trolley/bus/address.h"

namespace trolley::internal {

class ActorVerbs : public Actor {
 public:
  static Address AddressOf(const Actor& actor) {
    return (actor.*&ActorVerbs::address)();
  }
  static ActorContext ContextOf(const Actor& actor) {
    return (actor.*&ActorVerbs::context)();
  }
  static bool IsAsk(const Actor& actor) {
    return (actor.*&ActorVerbs::is_ask)();
  }

  // Sends an M to `self`, `after` from now. A full mailbox does not refuse it.
  template <typename M, typename A, typename... Args>
  static TimerId TellLater(A* self, absl::Duration after, Args&&... args) {
    using Verb = TimerId (Actor::*)(A*, absl::Duration, Args && ...);
    constexpr Verb kVerb = &ActorVerbs::template TellAfter<M, A, Args...>;
    Actor& actor = *self;
    return (actor.*kVerb)(self, after, std::forward<Args>(args)...);
  }
  // The same, with no delay.
  template <typename M, typename A>
  static void TellSoon(A* self, M message) {
    TellLater<M>(self, absl::ZeroDuration(), std::move(message));
  }
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_ACTOR_VERBS_H_
