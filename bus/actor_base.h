// SPDX-License-Identifier: Apache-2.0
//
// ActorBase: what a loop knows of the object in a cell. Actors derive from
// trolley::Actor (actors/actor.h), which builds on this.
//
// Ownership: owned by its loop from the moment it is spawned.
// Threads:   constructed by whoever spawns it; everything else, destruction
//            included, on its loop's thread.
// Ends:      OnStop(), then the destructor, after its last message.

#ifndef TROLLEY_BUS_ACTOR_BASE_H_
#define TROLLEY_BUS_ACTOR_BASE_H_

#include <cstdint>

namespace trolley {

struct Cell;
class ScheduledMessage;

class ActorBase {
 public:
  ActorBase() = default;
  ActorBase(const ActorBase&) = delete;
  ActorBase& operator=(const ActorBase&) = delete;
  virtual ~ActorBase() = default;

 protected:
  // Before the first message. May throw: the actor then ends as if a handler
  // had thrown.
  virtual void OnStart() {}
  // The bus begins to shut down and takes no new work from outside. An actor
  // that brings in work of its own (reads, accepts, timers) stops doing so.
  virtual void OnDrain() {}
  // After the last message. What it sends is still delivered.
  virtual void OnStop() {}

 private:
  friend class Actor;
  friend class Loop;
  friend class ScheduledMessage;

  Cell* cell_ = nullptr;                   // set when it is adopted
  ScheduledMessage* scheduled_ = nullptr;  // its armed message timers
  uint64_t start_sequence_ = 0;  // the order of starting, over all loops
};

}  // namespace trolley

#endif  // TROLLEY_BUS_ACTOR_BASE_H_
