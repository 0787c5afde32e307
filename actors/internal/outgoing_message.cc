// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/internal/outgoing_message.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "trolley/bus/loop/send_control.h"
#include "trolley/bus/mailbox/credit_requests.h"

namespace trolley::internal {
namespace {

std::string AskCycle(Loop& loop, ActorId asker, const CausalContext* askers,
                     ActorId target) {
  const BusState& bus = loop.bus();
  std::string path =
      absl::StrCat(bus.Describe(asker), " -> ", bus.Describe(target));
  for (const CausalContext* c = askers; c != nullptr && asker != target;
       c = c->parent()) {
    if (!c->asker()) break;
    path = absl::StrCat(bus.Describe(c->asker()), " -> ", path);
    if (c->asker() == target) break;
  }
  return path;
}

}  // namespace

void SetTraceOf(const TraceContext& trace, const Loop* loop,
                Envelope& envelope) {
  if (trace.valid()) {
    envelope.SetContext(CausalContext::New(trace, ActorId(), nullptr));
    return;
  }
  if (loop == nullptr || !HasContext(*loop)) return;
  const CausalContext* context = loop->current().envelope->context.get();
  // The root of the chain has the trace and no asker of this process.
  while (context != nullptr && context->asker()) context = context->parent();
  if (context == nullptr || context->foreign_askers().empty()) {
    envelope.SetContext(CausalContext::Ptr::Share(context));
  } else if (context->trace().valid()) {
    // The askers of other processes do not wait for this message.
    envelope.SetContext(
        CausalContext::New(context->trace(), ActorId(), nullptr));
  }
}

absl::StatusOr<CausalContext::Ptr> AskersOf(Loop& loop, ActorId target) {
  const Activation& current = loop.current();
  const ActorId self = current.cell != nullptr ? current.cell->self : ActorId();
  CausalContext::Ptr askers;
  if (current.envelope != nullptr) {
    askers = current.envelope->context;
    if (current.envelope->ask_id() != 0 &&
        !current.envelope->has(Envelope::kAskerGoesOn)) {
      askers = CausalContext::New(askers ? askers->trace() : TraceContext(),
                                  current.envelope->sender, askers);
    }
  }
  // An actor can answer itself while its background task waits.
  bool cycle = self == target && current.envelope != nullptr;
  for (const CausalContext* c = askers.get(); c != nullptr && !cycle;
       c = c->parent()) {
    cycle = c->asker() == target;
  }
  // An interleaved actor handles messages while it waits, so it can answer.
  if (cycle && self && !loop.bus().cells().Find(target).is_interleaved()) {
    return absl::FailedPreconditionError(
        absl::StrCat("a cycle of asks, which no actor could answer: ",
                     AskCycle(loop, self, askers.get(), target)));
  }
  if (askers && askers->depth() >= CausalContext::kMaxDepth) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", CausalContext::kMaxDepth,
                     " actors wait for one another"));
  }
  return askers;
}

absl::Status NotAnActor(absl::string_view verb) {
  return absl::FailedPreconditionError(absl::StrCat(
      verb,
      " works in the handlers of the same bus's actors only; a plain thread "
      "uses Tell or AskAndWait"));
}

bool OutgoingMessage::TakeBytes(const MessageOps& ops, uint64_t bytes) {
  ByteBudget* budget = target_ ? bus_->BudgetOf(target_) : nullptr;
  if (budget == nullptr || ops.count == nullptr) return true;
  lease_ = budget->Take(bytes);
  return static_cast<bool>(lease_);
}

void OutgoingMessage::ReturnBytes() {
  if (!lease_) return;
  lease_ = {};
  ByteBudget* budget = bus_->BudgetOf(target_);
  // mutant: P6_BytesThatAreReturnedAreNotTold
  if (budget != nullptr && budget->TakeWaiting()) {
    SendControl(*bus_, target_, RoomCameFree{});
  }
}

bool OutgoingMessage::SetCredit() {
  has_credit_ = true;
  if (TakeBytes(*envelope_->ops, bytes())) return true;
  has_credit_ = false;
  SendControl(*bus_, target_, ReturnedCredit{});
  return false;
}

Delivery OutgoingMessage::PostFromOutside() {
  if (bus_->Post(envelope_.get())) {
    (void)envelope_.release();
    return Delivery::kAccepted;
  }
  // The actor has ended with its loop, so its credits are void.
  has_credit_ = false;
  Refuse();
  return Delivery::kGone;
}

void OutgoingMessage::Refuse() {
  if (from_ != nullptr) {
    // mutant: P8_AMessageThatThrowsIsNoAttempt
    from_->router().CountSend(false);
  } else {
    bus_->CountSend(false);
  }
  Forget();
}

void OutgoingMessage::Forget() {
  open_ = false;
  if (envelope_ != nullptr && envelope_->has(Envelope::kAskedExternally)) {
    RefPtr<ExternalAsk>::Adopt(envelope_->external);
  }
  envelope_.reset();
  ReturnBytes();
  if (std::exchange(has_credit_, false)) {
    // mutant: P8_AMessageThatThrowsKeepsItsCredit
    SendControl(*bus_, target_, ReturnedCredit{});
  }
}

}  // namespace trolley::internal
