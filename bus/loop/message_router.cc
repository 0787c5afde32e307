// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/message_router.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/bus/mailbox/credit_requests.h"
#include "trolley/bus/message/external_ask.h"

namespace trolley::internal {

MessageRouter::MessageRouter(BusState& bus, LoopInbox& inbox, Expiry& expiry,
                             uint32_t most_asks)
    : bus_(bus),
      inbox_(inbox),
      expiry_(expiry),
      reply_slots_(most_asks),
      outboxes_(bus),
      envelopes_(bus, inbox),
      remote_credits_(bus.cells()),
      credit_waiters_(local_credits_, inbox_.byte_budgets,
                      [this](Envelope* e) { SendReply(e); }) {}

Delivery MessageRouter::TakeUrgentCredit(ActorId target) {
  if (target.loop() != inbox_.index) return remote_credits_.TakeUrgent(target);
  return local_credits_.TakeUrgent(*inbox_.cells.Find(target.slot()), target);
}

void MessageRouter::DeliverSlowly(Cell& cell, Envelope* e) {
  if (cell.self != e->target) {
    // mutant: P1_MessagesAheadOfTheirActorAreDropped
    if (cell.credits.generation() != e->target.generation()) {
      return DeadLetter(e);
    }
    // The id is newer than the actor of the cell: its actor is on its way.
    cell.self = e->target;
    cell.actor_state.set_state(Cell::State::kReserved);
    cell.local_credits = 0;
  }
  if (e->has(Envelope::kDataLane)) {
    cell.data.Push(e);
    ++cell.data_queued;
    if (cell.actor_state.busy()) return HasQueued(cell, e->deadline);
  } else {
    const bool urgent = e->has(Envelope::kUrgentLane);
    (urgent ? cell.lanes.urgent : cell.lanes.control).Push(e);
    // mutant: P6_WhatIsUrgentIsOverlooked
    cell.actor_state.set_urgent(true);
    if (urgent && cell.actor_state.busy()) expiry_.Watch(cell, e->deadline);
  }
  if (cell.state() != Cell::State::kReserved) run_queue_.Push(cell);
}

// A message for an actor that is busy, or trims, is in its data lane.
void MessageRouter::HasQueued(Cell& cell, Instant deadline) {
  if (cell.actor_state.busy()) expiry_.Watch(cell, deadline);
  // mutant: P6_WhatIsTooMuchWaitsForTheHandler
  const bool too_many = cell.actor_state.trims() && HasTooMuch(cell);
  if (too_many && cell.state() != Cell::State::kReserved) run_queue_.Push(cell);
}

// Too many messages, or too many bytes. The newest may stay in any case.
bool MessageRouter::HasTooMuch(const Cell& cell) const {
  if (cell.data_queued > cell.most_queued()) return true;
  const ByteBudget* budget = inbox_.byte_budgets.Find(cell.slot);
  // mutant: P6_BytesThatAreTooManyAreKept
  return budget != nullptr && budget->bounded() && budget->over() &&
         cell.data_queued > 1;
}

void MessageRouter::DropOldest(Cell& cell) {
  EnvelopeQueue kept;
  while (HasTooMuch(cell)) {
    Envelope* e = cell.data.Pop();
    if (e == nullptr) break;
    if (!e->has(Envelope::kHoldsCredit)) {
      // mutant: P6_WhatMustNotBeRefusedIsDropped
      kept.Push(e);
      continue;
    }
    --cell.data_queued;
    See(e).Became(RunObserver::What::kDropped);
    // mutant: P2_WhatOverflowsIsNotCounted
    inbox_.ledger.dropped.Increment();
    e->ops->drop(e);
    credit_waiters_.GiveBack(cell);
    if (!e->is_ask()) {
      Free(e);
      continue;
    }
    e->ops->answer(e, absl::ResourceExhaustedError(absl::StrCat(
                          "newer messages took the place of this ask in the "
                          "full mailbox of ",
                          NameOf(cell), " (Overflow::kDropOldest)")));
    SendReply(e);
  }
  cell.data.PutBefore(kept);
}

void MessageRouter::HandleReplies(uint32_t most) {
  for (; most > 0; --most) {
    Envelope* reply = replies_.Pop();
    if (reply == nullptr) return;
    PendingReply* pending = reply_slots_.Take(reply->ask_id());
    if (pending != nullptr) {
      pending->OnReply(reply);
    } else {
      inbox_.stats.late_replies.Increment();
      DropReply(reply);
    }
  }
}

void MessageRouter::SendReply(Envelope* reply) {
  AssertHere();
  if (reply->has(Envelope::kAskedExternally)) {
    RefPtr<ExternalAsk> ask = RefPtr<ExternalAsk>::Adopt(reply->external);
    ask->OnReply(reply);
    Free(reply);
    return;
  }
  const uint32_t loop = reply->sender.loop();
  if (loop == inbox_.index) {
    replies_.Push(reply);
  } else if (outboxes_.Add(loop, reply)) {
    Flush();
  }
}

void MessageRouter::CancelAsk(ActorId asked, const AskKey& key) {
  Send(ControlEnvelope(NewEnvelope(Envelope::BytesFor<AskCancelled>()), asked,
                       AskCancelled{.key = key, .external = {}}));
}

void MessageRouter::RequestCredit(ActorId target, ActorId sender,
                                  uint64_t bytes, uint64_t ask_id) {
  Envelope* request =
      ControlEnvelope(NewEnvelope(Envelope::BytesFor<absl::Status>()), target,
                      CreditRequest{.bytes = bytes});
  request->sender = sender;
  request->set_ask_id(ask_id);
  Send(request);
}

void MessageRouter::DropReply(Envelope* reply) {
  const ActorId replier = reply->target;
  const bool has_credit =
      reply->ops == &kStatusReply && reply->payload<absl::Status>().ok();
  reply->ops->drop(reply);
  Free(reply);
  // It is the answer to a CreditRequest: the credit must not be lost.
  // mutant: P6_ACreditIsLostWithItsSender
  if (has_credit) {
    Send(ControlEnvelope(NewEnvelope(Envelope::BytesFor<ReturnedCredit>()),
                         replier, ReturnedCredit{}));
  }
}

void MessageRouter::DeadLetter(Envelope* e, absl::string_view note) {
  if (e->is_reply()) return DropReply(e);
  if (e->lane() != Lane::kControl) {
    See(e).Became(RunObserver::What::kDeadLettered);
  }
  // mutant: P2_ADeadLetterIsNotCounted
  if (e->lane() != Lane::kControl) inbox_.ledger.dead_lettered.Increment();
  e->ops->drop(e);
  if (!e->is_ask()) return Free(e);
  // mutant: P8_AQueuedAskIsNotToldOfTheThrow
  e->ops->answer(
      e, absl::NotFoundError(absl::StrCat(bus_.DescribeEnd(e->target),
                                          note.empty() ? "" : "; ", note)));
  e->flags |= Envelope::kEndedFirst;
  SendReply(e);
}

void MessageRouter::DeadLetterWaitingSenders(Cell& cell) {
  const std::unique_ptr<WaitingSenders> senders =
      std::move(cell.waiting_senders);
  if (senders == nullptr) return;
  while (Envelope* e = senders->requests.Pop()) DeadLetter(e);
}

void MessageRouter::RefuseAsk(Cell& cell, Envelope* e) {
  See(e).Became(RunObserver::What::kDeadLettered);
  inbox_.ledger.dead_lettered.Increment();
  e->ops->drop(e);
  if (e->has(Envelope::kHoldsCredit)) credit_waiters_.GiveBack(cell);
  e->ops->answer(e, absl::ResourceExhaustedError(absl::StrCat(
                        NameOf(cell), " has ", cell.suspended_asks,
                        " asks that wait in its handlers; more would take "
                        "the credits of other messages")));
  SendReply(e);
}

void MessageRouter::Expire(Cell& cell, Envelope* e) {
  See(e).Became(RunObserver::What::kExpired);
  // mutant: P2_AnExpiredMessageIsNotCounted
  inbox_.ledger.expired.Increment();
  e->ops->drop(e);
  if (e->has(Envelope::kHoldsCredit)) credit_waiters_.GiveBack(cell);
  if (!e->is_ask()) return Free(e);
  // The asker replaces this text by one with the time that it has waited.
  e->ops->answer(e, absl::DeadlineExceededError(
                        absl::StrCat(NameOf(cell), " did not reply in time")));
  e->flags |= Envelope::kExpiredFirst;
  SendReply(e);
}

}  // namespace trolley::internal
