// SPDX-License-Identifier: Apache-2.0
//
// MessageRouter: sends the messages of a loop, puts those that arrive into
// their mailboxes, and ends them: handled, expired or dropped. All messages of
// a loop come through here, so it also writes the loop's ledger.
//
// To send, in three steps:
//
//   Delivery taken = router.TakeCredit(target);      // or kFull, kGone
//   Envelope* e = router.NewEnvelope(bytes, head);   // then build the payload
//   router.Send(e);
//
// actors/internal/outgoing_message.h does this for all messages of users.
//
// Ownership: part of a loop. Owns the replies and the outboxes, and the
//            envelopes of other loops until they go back.
// Threads:   loop thread only.
// Bounds:    mailboxes by credit; replies by LoopOptions::max_pending_asks.
// Ends:      the loop drops what is left when it ends.

#ifndef TROLLEY_BUS_LOOP_MESSAGE_ROUTER_H_
#define TROLLEY_BUS_LOOP_MESSAGE_ROUTER_H_

#include <cassert>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/string_view.h"
#include "trolley/bus/crossing/bus_state.h"
#include "trolley/bus/crossing/outboxes.h"
#include "trolley/bus/loop/envelope_allocator.h"
#include "trolley/bus/loop/expiry.h"
#include "trolley/bus/loop/reply_slots.h"
#include "trolley/bus/mailbox/activation.h"
#include "trolley/bus/mailbox/credit_waiters.h"
#include "trolley/bus/mailbox/local_credits.h"
#include "trolley/bus/mailbox/remote_credits.h"
#include "trolley/bus/mailbox/run_queue.h"
#include "trolley/bus/message/ask_key.h"

namespace trolley::internal {

class MessageRouter {
 public:
  MessageRouter(BusState& bus, LoopInbox& inbox, Expiry& expiry,
                uint32_t most_asks);

  // The actor that runs and the message that it handles.
  Activation& current() { return current_; }
  const Activation& current() const { return current_; }

  // --- Sending ---------------------------------------------------------------

  // The fast way, for a message that stays on this loop. Returns the cell of
  // the target and an envelope of `bytes` that has its credit, and counts the
  // send. Then build the payload, which must not throw, and call Queue().
  // Nulls: the loop has no credit or no free envelope at hand; use the three
  // steps above. `head` has no flags.
  ABSL_ATTRIBUTE_ALWAYS_INLINE std::pair<Cell*, Envelope*> BeginHere(
      size_t bytes, const Envelope::Head& head) {
    LoopInbox& inbox = inbox_;
    if (head.target.loop() != inbox.index) return {};
    Cell& cell = *inbox.cells.Find(head.target.slot());
    const uint32_t size_class = EnvelopePool::ClassOf(bytes);
    Envelope* ready = inbox.pool.Ready(size_class);
    if (ready == nullptr || !local_credits_.TakeOwn(cell, head.target)) {
      return {};
    }
    inbox.ledger.CountSend(true);
    return {&cell, new (inbox.pool.TakeReady(ready, size_class))
                       Envelope(envelopes_.own_loop_tell(size_class), head)};
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Queue(Cell& cell, Envelope* envelope) {
    cell.data.Push(envelope);
    ++cell.data_queued;
    if (cell.actor_state.data_makes_runnable()) {
      run_queue_.Add(cell);
    } else if (cell.actor_state.busy_or_trims()) [[unlikely]] {
      HasQueued(cell, envelope->deadline);
    }
  }

  // Takes a credit of `target`: kAccepted, kFull or kGone. Counts nothing. For
  // an urgent message TakeUrgentCredit() may take one of the reserve.
  ABSL_ATTRIBUTE_ALWAYS_INLINE Delivery TakeCredit(ActorId target) {
    if (target.loop() != inbox_.index) return remote_credits_.Take(target);
    return local_credits_.Take(*inbox_.cells.Find(target.slot()), target);
  }
  Delivery TakeUrgentCredit(ActorId target);
  // Counts one send of this loop.
  void CountSend(bool was_accepted) { inbox_.ledger.CountSend(was_accepted); }

  ABSL_ATTRIBUTE_ALWAYS_INLINE Envelope* NewEnvelope(
      size_t bytes, const Envelope::Head& head = {}) {
    return envelopes_.New(bytes, head);
  }
  // Returns an envelope whose payload is destroyed to the pool that it is of.
  void Free(Envelope* envelope) { envelopes_.Free(envelope); }

  // Sends an envelope that has its credit, or needs none.
  void Send(Envelope* envelope) {
    AssertHere();
    const uint32_t loop = envelope->target.loop();
    if (loop == inbox_.index) {
      Deliver(envelope);
    } else if (outboxes_.Add(loop, envelope)) {
      Flush();
    }
  }
  // Sends the reply that the envelope holds to the asker.
  void SendReply(Envelope* envelope);
  // Tells the asked actor that an asker of this loop no longer waits.
  void CancelAsk(ActorId asked, const AskKey& key);
  // Asks for a credit of the full mailbox of `target`, for a message of
  // `sender` that counts for `bytes`. The reply, an absl::Status, comes to the
  // reply slot `ask_id`. OK hands the credit over.
  void RequestCredit(ActorId target, ActorId sender, uint64_t bytes,
                     uint64_t ask_id);

  // --- The end of a message --------------------------------------------------

  // Its handler has returned, with or without an error. Gives the credit back,
  // and sends the reply if the envelope holds one.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Complete(Cell& cell, Envelope* e,
                                             Outcome outcome) {
    (outcome == Outcome::kHandled ? inbox_.ledger.handled
                                  : inbox_.ledger.failed)
        .Increment();
    ++cell.handled;
    const uint64_t size_class = envelopes_.OwnLoopTellClass(e);
    if (size_class <= Envelope::kMaxSizeClass) [[likely]] {
      credit_waiters_.GiveBack(cell);
      inbox_.pool.PutOwnBare(e, size_class);
      return;
    }
    if (e->has(Envelope::kHoldsCredit)) credit_waiters_.GiveBack(cell);
    if (e->is_reply()) {
      SendReply(e);
    } else {
      Free(e);
    }
  }
  // Its deadline has passed, or its asker no longer waits.
  void Expire(Cell& cell, Envelope* e);
  // Its actor has Cell::most_suspended_asks() asks.
  void RefuseAsk(Cell& cell, Envelope* e);
  // Overflow::kDropOldest: drops the oldest messages that hold a credit, until
  // there are no more, and no more bytes, than the mailbox may hold.
  void DropOldest(Cell& cell);
  // Its actor has ended. `note` is added to the error of an ask.
  void DeadLetter(Envelope* e, absl::string_view note = {});
  // A reply whose asker no longer waits.
  void DropReply(Envelope* reply);
  // DeadLetter() for the requests of the senders that wait for room.
  void DeadLetterWaitingSenders(Cell& cell);

  // --- For a RunObserver -----------------------------------------------------

  // What a RunObserver may be told of a message that is in hand.
  struct Seen {
    RunObserver* observer = nullptr;
    ActorId actor = {};
    ActorId sender = {};
    absl::string_view message = {};
    void Became(RunObserver::What what) const {
      if (observer != nullptr) observer->Saw(what, actor, sender, message);
    }
  };
  // Before its handler runs or its payload is destroyed. Null: no message.
  Seen See(const Envelope* e) const {
    if (observer_ == nullptr || e == nullptr) return {};
    return {observer_, e->target,
            e->has(Envelope::kAskedExternally) ? ActorId() : e->sender,
            e->ops->name()};
  }
  RunObserver* observer() const { return observer_; }
  void SetObserver(RunObserver* observer) { observer_ = observer; }

  // --- For the loop's turn ---------------------------------------------------

  // Puts a message into its mailbox. Not for replies.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Deliver(Envelope* e) {
    Cell& cell = *inbox_.cells.Find(e->target.slot());
    if (cell.self == e->target && e->has(Envelope::kDataLane)) [[likely]] {
      Queue(cell, e);
    } else {
      DeliverSlowly(cell, e);
    }
  }
  // Wakes the coroutines whose replies have come, at most `most`.
  void HandleReplies(uint32_t most);
  // Hands over what was sent to other loops.
  void Flush() {
    outboxes_.Flush([this](Envelope* e) { DeadLetter(e); });
  }
  // Gives back what other loops could use: empty envelopes and credits.
  void ReturnRemote() {
    envelopes_.ReturnAll();
    remote_credits_.ReturnAll();
  }
  // For a loop that does not sleep: gives back credits of actors of other loops
  // that it has not used since the last call.
  void ReturnUnused() { remote_credits_.ReturnUnused(); }
  LocalCredits& local_credits() { return local_credits_; }
  // Gives back the credits of at most `most` of the loop's own actors. True:
  // others are left.
  bool ReturnLocal(uint32_t most) { return local_credits_.ReturnSome(most); }

  // Messages wait behind an actor that takes none: their deadlines are watched.
  void WatchMailbox(Cell& cell) {
    if (!cell.data.empty() || !cell.lanes.urgent.empty()) {
      expiry_.WatchMailbox(cell);
    }
  }

  RunQueue& run_queue() { return run_queue_; }
  EnvelopeQueue& replies() { return replies_; }
  ReplySlots& reply_slots() { return reply_slots_; }
  const ReplySlots& reply_slots() const { return reply_slots_; }
  CreditWaiters& credit_waiters() { return credit_waiters_; }
  LoopInbox& inbox() { return inbox_; }

 private:
  void DeliverSlowly(Cell& cell, Envelope* e);
  bool HasTooMuch(const Cell& cell) const;
  void HasQueued(Cell& cell, Instant deadline);
  void AssertHere() const {
    assert(LoopInbox::current == &inbox_ && "not on the loop's thread");
  }

  BusState& bus_;
  LoopInbox& inbox_;
  Expiry& expiry_;
  Activation current_;
  RunQueue run_queue_;
  EnvelopeQueue replies_;  // for the asks of this loop's actors
  ReplySlots reply_slots_;
  Outboxes outboxes_;
  EnvelopeAllocator envelopes_;
  RemoteCredits remote_credits_;
  LocalCredits local_credits_;
  CreditWaiters credit_waiters_;
  RunObserver* observer_ = nullptr;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_MESSAGE_ROUTER_H_
