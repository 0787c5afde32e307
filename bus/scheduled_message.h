// SPDX-License-Identifier: Apache-2.0
//
// ScheduledMessage: a message an actor sends to itself at a later time. It
// comes by the reply lane, so a full mailbox never loses a timer.
//
// Ownership: linked to its actor; deletes itself when it fires or is cancelled.
// Threads:   loop thread only.
// Bounds:    its actor's own doing.
// Ends:      fires once, or is cancelled, at the latest when its actor ends.

#ifndef TROLLEY_BUS_SCHEDULED_MESSAGE_H_
#define TROLLEY_BUS_SCHEDULED_MESSAGE_H_

#include "trolley/bus/loop.h"

namespace trolley {

class ScheduledMessage final : public Timer {
 public:
  // Takes `envelope`, whose target is `owner`. Returns the id to cancel it by,
  // unique for this actor.
  static uint64_t Set(Loop& loop, ActorBase& owner, Envelope* envelope,
                      Instant at);
  // The same with an id that the constructor was given.
  static void Set(Loop& loop, ActorBase& owner, Envelope* envelope, Instant at,
                  uint64_t id);

  // True: it had not fired and will not. Looks at each armed one of `owner`.
  static bool Cancel(ActorBase& owner, uint64_t id);

  static void CancelAll(ActorBase& owner);

 private:
  ScheduledMessage(Loop& loop, ActorBase& owner, Envelope* envelope,
                   uint64_t id);
  ~ScheduledMessage() override;

  void OnTimer() override;

  Loop& loop_;
  ActorBase& owner_;
  Envelope* envelope_;  // null once it has fired
  uint64_t id_;
  ScheduledMessage* previous_ = nullptr;
  ScheduledMessage* next_ = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_SCHEDULED_MESSAGE_H_
