// SPDX-License-Identifier: Apache-2.0
//
// ActorBase: what a loop knows of the object in a cell. Actors derive from
// trolley::Actor (actors/actor.h), which builds on this.
//
// Ownership: owned by its loop from the moment it is spawned.
// Threads:   constructed by the thread of the spawner; everything else,
//            destruction included, on its loop's thread.
// Ends:      OnStop(), then the destructor, after its last message.

#ifndef TROLLEY_BUS_ACTOR_BASE_H_
#define TROLLEY_BUS_ACTOR_BASE_H_

#include <cstdint>

namespace trolley {

struct Cell;
class Birth;
class ScheduledMessage;

class ActorBase {
 public:
  ActorBase();
  ActorBase(const ActorBase&) = delete;
  ActorBase& operator=(const ActorBase&) = delete;
  virtual ~ActorBase() = default;

 protected:
  // Before the first message. May throw: the actor then ends as if a handler
  // had thrown, and without OnStop().
  virtual void OnStart() {}
  // The bus begins to shut down and takes no new work from outside. An actor
  // that brings in work of its own (reads, accepts, timers) stops doing so.
  virtual void OnDrain() {}
  // After the last message, if OnStart() had returned. What it sends is still
  // delivered.
  virtual void OnStop() {}

 private:
  friend class Actor;
  friend class Birth;
  friend class Loop;
  friend struct Cell;
  friend class ScheduledMessage;

  Cell* cell_ = nullptr;                   // null until its loop has it
  ScheduledMessage* scheduled_ = nullptr;  // its armed message timers
  union {
    Birth* birth_;  // while cell_ is null; null: it is no actor of a bus
    uint64_t start_sequence_;  // from then on: the order over all loops
  };
};

}  // namespace trolley

#endif  // TROLLEY_BUS_ACTOR_BASE_H_
