// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/posting.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "trolley/bus/send_control.h"

namespace trolley::internal {
namespace {

std::string AskCycle(Loop& loop, ActorId asker, const Context* askers,
                     ActorId target) {
  const BusState& bus = loop.bus();
  std::string path =
      absl::StrCat(bus.Describe(asker), " -> ", bus.Describe(target));
  for (const Context* c = askers; c != nullptr && asker != target;
       c = c->parent()) {
    if (!c->asker()) break;
    path = absl::StrCat(bus.Describe(c->asker()), " -> ", path);
    if (c->asker() == target) break;
  }
  return path;
}

// An actor that goes on taking messages while it waits can answer itself.
bool IsInterleaved(BusState& bus, ActorId id) {
  return bus.port(id.loop()).cells.Find(id.slot())->is_interleaved();
}

}  // namespace

void PassTraceOn(const Loop& loop, Envelope* to) {
  const Context* context = loop.turn().envelope->context.get();
  // A trace stands at the root of a chain, where nobody waits.
  while (context != nullptr && context->asker()) context = context->parent();
  to->SetContext(Context::Ptr::Share(context));
}

absl::StatusOr<Context::Ptr> AskersOf(Loop& loop, ActorId target) {
  const Loop::Turn& turn = loop.turn();
  const ActorId self = turn.cell != nullptr ? turn.cell->self : ActorId();
  Context::Ptr askers;
  if (turn.envelope != nullptr) {
    askers = turn.envelope->context;
    if (turn.envelope->ask_id() != 0 &&
        !turn.envelope->has(Envelope::kAskerGoesOn)) {
      askers = Context::New(askers ? askers->trace() : TraceContext(),
                            turn.envelope->sender, askers);
    }
  }
  // A background task keeps nobody from answering.
  bool cycle = self == target && turn.envelope != nullptr;
  for (const Context* c = askers.get(); c != nullptr && !cycle;
       c = c->parent()) {
    cycle = c->asker() == target;
  }
  if (cycle && self && !IsInterleaved(loop.bus(), target)) {
    return absl::FailedPreconditionError(
        absl::StrCat("a cycle of asks, which nobody could answer: ",
                     AskCycle(loop, self, askers.get(), target)));
  }
  if (askers && askers->depth() >= Context::kMaxDepth) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "more than ", Context::kMaxDepth, " actors wait for one another"));
  }
  return askers;
}

void Unsend(BusState& bus, Loop* loop, Envelope* e) {
  const ActorId target = e->target;
  FreeEnvelope(loop, e);
  if (loop != nullptr) {
    loop->port().ledger.CountSend(false);
  } else {
    bus.CountUnmade();
  }
  SendControl(bus, target, ReturnedPlace{});
}

Delivery NotConnected(BusState& bus, Loop* loop) {
  if (loop != nullptr) {
    loop->port().ledger.CountSend(false);
  } else {
    bus.CountNotConnected();
  }
  return Delivery::kNotConnected;
}

Delivery PostFromOutside(BusState& bus, Envelope* e) {
  const Delivery delivery = bus.SendAdmitted(e);
  if (delivery != Delivery::kAccepted && !e->is_ask()) {
    e->type->drop(e);
    EnvelopePool::PutToHeap(e);
  }
  return delivery;
}

absl::Status NotAnActor(absl::string_view verb) {
  return absl::FailedPreconditionError(absl::StrCat(
      verb,
      " works in the handlers of the same bus's actors only; a plain thread "
      "uses Tell or AskAndWait"));
}

void PostLast(BusState& bus, Loop* loop, Envelope* e) {
  if (loop != nullptr) {
    loop->port().ledger.CountSend(true);
    loop->Send(e);
    return;
  }
  bus.CountAttempt();
  PostFromOutside(bus, e);
}

}  // namespace trolley::internal
