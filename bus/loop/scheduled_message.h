// SPDX-License-Identifier: Apache-2.0
//
// ScheduledMessage: a message that an actor sends to itself at a later time
// (Actor::TellAfter). It uses the urgent lane, and a full mailbox takes it.
//
// Ownership: linked to its actor; deletes itself when it fires or is cancelled.
// Threads:   loop thread only.
// Bounds:    as many as its actor sets.
// Ends:      fires once, or is cancelled, at the latest when its actor ends.

#ifndef TROLLEY_BUS_LOOP_SCHEDULED_MESSAGE_H_
#define TROLLEY_BUS_LOOP_SCHEDULED_MESSAGE_H_

#include <cstdint>

#include "trolley/bus/loop/message_router.h"
#include "trolley/bus/loop/timer_queue.h"
#include "trolley/bus/mailbox/actor_base.h"

namespace trolley::internal {

class ScheduledMessage final : public Timer, public ActorTimer {
 public:
  // Takes over `envelope`, whose target is `owner`. Returns its id for Cancel,
  // unique on this thread.
  static uint64_t Set(MessageRouter& router, TimerQueue& timers,
                      ActorBase& owner, Envelope* envelope, Instant at);
  // The same with the id that EarlyRequests has returned.
  static void Set(MessageRouter& router, TimerQueue& timers, ActorBase& owner,
                  Envelope* envelope, Instant at, uint64_t id);

  // True: it will not fire. Searches all armed messages of `owner`.
  static bool Cancel(ActorBase& owner, uint64_t id);

  static void CancelAll(ActorBase& owner);

 private:
  ScheduledMessage(MessageRouter& router, ActorBase& owner, Envelope* envelope,
                   uint64_t id);
  ~ScheduledMessage() override;

  static ScheduledMessage* First(ActorBase& owner);
  void OnTimer() override;

  MessageRouter& router_;
  ActorBase& owner_;
  Envelope* envelope_;  // null once it has fired
  uint64_t id_;
  ScheduledMessage* previous_ = nullptr;
  ScheduledMessage* next_ = nullptr;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_SCHEDULED_MESSAGE_H_
