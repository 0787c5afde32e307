// SPDX-License-Identifier: Apache-2.0
//
// SpawnVerb: Actor::Spawn(), for a helper that is a member of the actor, as
// ActorVerbs is for the other verbs
// (actors/behaviour/internal/actor_verbs.h).
//
//   auto keeper = SpawnVerb::SpawnFor<ChildKeeper>(owner, options, args...);
//
// Ownership: a function; it keeps nothing.
// Threads:   as Actor::Spawn().
// Bounds:    as Actor::Spawn().
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_CHILD_INTERNAL_SPAWN_VERB_H_
#define TROLLEY_ACTORS_CHILD_INTERNAL_SPAWN_VERB_H_

#include <utility>

#include "absl/status/statusor.h"
#include "trolley/actors/behaviour/internal/actor_verbs.h"
#include "trolley/actors/ref.h"
#include "trolley/bus/options.h"

namespace trolley::internal {

class SpawnVerb : public ActorVerbs {
 public:
  template <typename A, typename... Args>
  static absl::StatusOr<Ref<A>> SpawnFor(Actor& owner,
                                         const SpawnOptions& options,
                                         Args&&... args) {
    using Verb =
        absl::StatusOr<Ref<A>> (Actor::*)(const SpawnOptions&, Args&&...);
    constexpr Verb kVerb = &SpawnVerb::template Spawn<A, Args...>;
    return (owner.*kVerb)(options, std::forward<Args>(args)...);
  }
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_CHILD_INTERNAL_SPAWN_VERB_H_
