// SPDX-License-Identifier: Apache-2.0
//
// Mailbox: an actor's queue, in lanes. Control comes first, then replies and
// timers, then data; within a lane the order is that of arrival. Senders never
// touch it: messages reach it on the actor's own loop, and the bound is kept by
// the credits a sender holds before it sends (bus/credits.h).
//
// Ownership: owns the envelopes in it. Part of the actor's cell.
// Threads:   loop thread only.
// Bounds:    the data lane by SpawnOptions::mailbox_capacity; the reply lane by
//            what its actor asked for and armed; the control lane is not
//            reachable by users' messages.
// Ends:      emptied by the loop when the actor ends.

#ifndef TROLLEY_BUS_MAILBOX_H_
#define TROLLEY_BUS_MAILBOX_H_

#include "trolley/bus/envelope.h"

namespace trolley {

// First in, first out, linked through Envelope::next. One pointer: the last
// envelope, whose `next` is the first.
class EnvelopeQueue {
 public:
  bool empty() const { return last_ == nullptr; }

  void Push(Envelope* e) {
    if (last_ == nullptr) {
      e->next = e;
    } else {
      e->next = last_->next;
      last_->next = e;
    }
    last_ = e;
  }

  // The oldest, of a queue that is not empty.
  Envelope* first() const { return last_->next; }

  // The oldest; null if empty.
  Envelope* Pop() {
    if (last_ == nullptr) return nullptr;
    Envelope* first = last_->next;
    if (first == last_) {
      last_ = nullptr;
    } else {
      last_->next = first->next;
    }
    return first;
  }

 private:
  Envelope* last_ = nullptr;
};

struct Mailbox {
  EnvelopeQueue control;
  EnvelopeQueue reply;
  EnvelopeQueue data;

  bool empty() const { return data.empty() && !has_urgent(); }
  // Whether something waits that goes before data.
  bool has_urgent() const { return !control.empty() || !reply.empty(); }

  void Push(Envelope* e) {
    switch (e->lane()) {
      case Lane::kControl:
        return control.Push(e);
      case Lane::kReply:
        return reply.Push(e);
      case Lane::kData:
        return data.Push(e);
    }
  }
};

}  // namespace trolley

#endif  // TROLLEY_BUS_MAILBOX_H_
