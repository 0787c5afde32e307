// SPDX-License-Identifier: Apache-2.0
//
// SpawnActor: brings an actor to life, the part that knows no types.
// Bus::Spawn and Actor::Spawn are its callers.
//
// Thread-safe. The actor is constructed by the caller; everything after runs on
// its loop. Messages sent to the id as soon as it is known wait for the actor.

#ifndef TROLLEY_BUS_SPAWN_H_
#define TROLLEY_BUS_SPAWN_H_

#include <memory>

#include "absl/status/statusor.h"
#include "trolley/bus/actor_base.h"
#include "trolley/bus/actor_class.h"
#include "trolley/bus/address.h"
#include "trolley/bus/options.h"

namespace trolley {

// InvalidArgument: the name breaks the rules, the loop does not exist, or the
// capacity is 0. AlreadyExists: the name is taken. ResourceExhausted: the loop
// has max_actors. Unavailable: the bus is shutting down and the caller is not
// one of its actors. Whatever the error, the actor is destroyed by the caller.
absl::StatusOr<Address> SpawnActor(const BusState::Ptr& bus,
                                   const SpawnOptions& options,
                                   const ActorClass* actor_class,
                                   std::unique_ptr<ActorBase> actor);

}  // namespace trolley

#endif  // TROLLEY_BUS_SPAWN_H_
