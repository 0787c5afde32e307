// SPDX-License-Identifier: Apache-2.0
//
// ActorBase: an actor as its loop sees it. Users derive from trolley::Actor
// (actors/actor.h), which derives from this.
//
// Ownership: its loop owns it from its spawn on.
// Threads:   the spawner's thread runs the constructor. Its loop's thread runs
//            the rest, the destructor included.
// Ends:      after its last message: OnStop(), then the destructor.

#ifndef TROLLEY_BUS_MAILBOX_ACTOR_BASE_H_
#define TROLLEY_BUS_MAILBOX_ACTOR_BASE_H_

#include <cstdint>
#include <utility>

#include "trolley/bus/actor_id.h"
#include "trolley/bus/message/envelope.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {

// The base of Cell (bus/mailbox/cell.h).
struct ActorSlot {
  ActorId self;  // the actor that lives here; empty: none
};

// The base of PendingSpawn (bus/loop/pending_spawn.h): what the constructor of
// an actor knows of its bus.
class Construction {
 public:
  // For the next actor that this thread constructs; null: it will be no actor
  // of a bus.
  static thread_local constinit Construction* next;

 protected:
  ~Construction() = default;
};

// The base of ScheduledMessage (bus/loop/scheduled_message.h).
class ActorTimer {
 protected:
  ~ActorTimer() = default;
};

class ActorBase : public MessageTarget {
 public:
  ActorBase() : construction_(std::exchange(Construction::next, nullptr)) {}
  ActorBase(const ActorBase&) = delete;
  ActorBase& operator=(const ActorBase&) = delete;
  virtual ~ActorBase() = default;

 protected:
  // Called before the first message. If it throws, the actor ends as by an
  // exception of a handler, and OnStop() is not called.
  virtual void OnStart() {}
  // Called once when the bus begins to shut down; in an actor that starts
  // later, after OnStart(). An actor that makes work of its own (it reads,
  // accepts, sets timers) stops to do so here.
  virtual void OnDrain() {}
  // Called after the last message, if OnStart() has returned. Messages that it
  // sends are still delivered. exit_reason() says why the actor ends.
  virtual void OnStop() {}

 private:
  friend struct ActorAccess;

  ActorSlot* slot_ = nullptr;     // null until its loop has it
  ActorTimer* timers_ = nullptr;  // its armed message timers, a list
  union {
    Construction* construction_;  // while slot_ is null
    uint64_t start_sequence_;     // after that: orders all actors by start
  };
};

// For the library only.
struct ActorAccess {
  static ActorSlot*& slot(ActorBase& actor) { return actor.slot_; }
  static ActorSlot* slot(const ActorBase& actor) { return actor.slot_; }
  static ActorTimer*& timers(ActorBase& actor) { return actor.timers_; }
  static Construction*& construction(ActorBase& actor) {
    return actor.construction_;
  }
  static Construction* construction(const ActorBase& actor) {
    return actor.construction_;
  }
  static uint64_t& start_sequence(ActorBase& actor) {
    return actor.start_sequence_;
  }
  static void Start(ActorBase& actor) { actor.OnStart(); }
  static void Drain(ActorBase& actor) { actor.OnDrain(); }
  static void Stop(ActorBase& actor) { actor.OnStop(); }
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_ACTOR_BASE_H_
