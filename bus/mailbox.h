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

#include <utility>

#include "trolley/bus/envelope.h"

namespace trolley {

// First in, first out, linked through Envelope::next.
class EnvelopeQueue {
 public:
  bool empty() const { return first_ == nullptr; }

  void Push(Envelope* e) {
    e->next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = e;
    last_ = e;
  }

  // The oldest; null if empty.
  Envelope* Pop() {
    Envelope* first = first_;
    if (first != nullptr) first_ = first->next;
    return first;
  }

  // Takes those for which `is_one(const Envelope&)` says true, in their order.
  template <typename IsOne>
  EnvelopeQueue TakeIf(IsOne is_one) {
    EnvelopeQueue taken, left;
    while (Envelope* e = Pop()) (is_one(*e) ? taken : left).Push(e);
    *this = left;
    return taken;
  }

 private:
  Envelope* first_ = nullptr;
  Envelope* last_ = nullptr;  // of a queue that is not empty
};

// The same in half the space, for what is seldom used: the last envelope, whose
// `next` is the first. Whoever pushes and pops has to follow that.
class SmallEnvelopeQueue {
 public:
  bool empty() const { return last_ == nullptr; }

  void Push(Envelope* e) {
    e->next = last_ == nullptr ? e : std::exchange(last_->next, e);
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

// The lanes that go before data.
struct UrgentLanes {
  SmallEnvelopeQueue control;
  SmallEnvelopeQueue reply;

  bool empty() const { return control.empty() && reply.empty(); }
};

}  // namespace trolley

#endif  // TROLLEY_BUS_MAILBOX_H_
