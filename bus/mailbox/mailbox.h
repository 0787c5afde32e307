// SPDX-License-Identifier: Apache-2.0
//
// Queues of a mailbox. An actor's mailbox has three lanes, handled in this
// order; in a lane, the oldest message is first:
//
//   lane      holds                       bounded by
//   control   stops, spawns, credits      users cannot send these
//   urgent    timers of the actor         the timers that the actor sets
//             urgent messages of users    SpawnOptions::mailbox_capacity, with
//   data      other messages of users     those of the data lane
//
// Senders do not touch a mailbox: the actor's loop puts the messages in. The
// credits that senders take bound what users send (bus/mailbox/credit_pool.h).
//
// Ownership: part of a cell; owns the envelopes in it.
// Threads:   loop thread only.
// Ends:      the loop empties it when the actor ends.

#ifndef TROLLEY_BUS_MAILBOX_MAILBOX_H_
#define TROLLEY_BUS_MAILBOX_MAILBOX_H_

#include <cstdint>
#include <utility>

#include "trolley/bus/message/envelope.h"

namespace trolley::internal {

// First in, first out, linked through Envelope::next.
class EnvelopeQueue {
 public:
  bool empty() const { return first_ == nullptr; }

  void Push(Envelope* e) {
    e->next = nullptr;
    // mutant: P1_TheNewestMessageIsFirstInTheMailbox
    (first_ == nullptr ? first_ : last_->next) = e;
    last_ = e;
  }

  // The oldest; null if empty.
  Envelope* Pop() {
    Envelope* first = first_;
    if (first != nullptr) first_ = first->next;
    return first;
  }

  // Puts `front` before the others.
  void PutBefore(EnvelopeQueue front) {
    if (front.empty()) return;
    front.last_->next = first_;
    if (first_ == nullptr) last_ = front.last_;
    first_ = front.first_;
  }

  // Takes those for which is_one(const Envelope&) is true, in their order.
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

// The same in half the space, and slower, for lanes that are seldom used. It
// holds the last envelope, whose `next` is the first one.
class SmallEnvelopeQueue {
 public:
  bool empty() const { return last_ == nullptr; }

  void Push(Envelope* e) {
    e->next = last_ == nullptr ? e : std::exchange(last_->next, e);
    last_ = e;
  }

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

  // The oldest, which stays. The queue must not be empty.
  Envelope& front() { return *last_->next; }

  // Takes those for which is_one(const Envelope&) is true, in their order.
  template <typename IsOne>
  SmallEnvelopeQueue TakeIf(IsOne is_one) {
    SmallEnvelopeQueue taken, left;
    while (Envelope* e = Pop()) (is_one(*e) ? taken : left).Push(e);
    *this = left;
    return taken;
  }
  // How many of them hold a credit.
  uint32_t CountCredits() const {
    uint32_t count = 0;
    const Envelope* e = last_;
    do {
      if (e == nullptr) break;
      count += e->has(Envelope::kHoldsCredit);
      e = e->next;
    } while (e != last_);
    return count;
  }

 private:
  Envelope* last_ = nullptr;
};

// The lanes that are handled before data.
struct LanesBeforeData {
  SmallEnvelopeQueue control;
  SmallEnvelopeQueue urgent;

  bool empty() const { return control.empty() && urgent.empty(); }
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_MAILBOX_H_
