// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/actor.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "trolley/bus/birth.h"

namespace trolley {
namespace {

using StatusFrame = std::coroutine_handle<internal::TaskPromise<absl::Status>>;

Outcome FinishBackground(SuspendedHandler* handler, Envelope*) {
  auto frame = StatusFrame::from_address(handler->frame.address());
  internal::FrameOwner owner(frame);
  const absl::Status status = frame.promise().Result();
  if (status.ok()) return Outcome::kHandled;
  // The way a background task reports to the one place that ends actors.
  throw std::runtime_error(status.ToString());
}

}  // namespace

Address Actor::address() const {
  if (cell_ != nullptr) return Address(loop().bus_pointer(), cell_->self);
  return birth_ != nullptr ? birth_->address() : Address();
}

void Actor::Stop() {
  if (cell_ != nullptr) {
    loop().StopActor(*cell_, /*drain=*/false);
  } else if (birth_ != nullptr) {
    birth_->requests().Stop();
  }
}

Envelope* Actor::EnvelopeToSelf(size_t bytes) {
  Envelope* e;
  if (cell_ != nullptr) {
    e = loop().NewEnvelope(bytes);
    e->target = cell_->self;
    internal::SetTrace({}, &loop(), e);
  } else {
    e = EnvelopePool::GetFromHeap(bytes);
    e->target = birth_->address().id();
  }
  e->sender = e->target;
  e->marks |= Envelope::kReplyLane;
  return e;
}

void Actor::FreeToSelf(Envelope* e) {
  internal::FreeEnvelope(cell_ != nullptr ? &loop() : nullptr, e);
}

uint64_t Actor::SendAfter(absl::Duration after, Envelope* e) {
  if (cell_ != nullptr) {
    return ScheduledMessage::Set(loop(), *this, e, loop().Now() + after);
  }
  const Clock& clock = birth_->address().bus()->clock();
  return birth_->requests().SendAt(e, clock.Now() + after);
}

bool Actor::CancelTimer(TimerId id) {
  if (cell_ != nullptr) return ScheduledMessage::Cancel(*this, id.value);
  return birth_ != nullptr && birth_->requests().Cancel(id.value);
}

void Actor::HoldMailbox() {
  SuspendedHandler& handler =
      internal::HandlerInHand(Loop::Current(), "HoldMailbox()",
                              cell_ != nullptr ? cell_->self : ActorId());
  if (handler.envelope == nullptr) internal::ThrowNoHandler("HoldMailbox()");
  handler.holds_mailbox = true;
  if (handler.cell != nullptr) cell_->standing.set_busy(true);
}

void Actor::RunInBackground(Task<absl::Status> task) {
  if (!begins_things()) return;
  StatusFrame frame = task.Release();
  SuspendedHandler& handler = frame.promise().BeginHandler(frame);
  handler.finish = &FinishBackground;
  if (cell_ != nullptr) {
    loop().RunTask(*cell_, handler);
  } else {
    birth_->requests().Run(&handler);
  }
}

Loop& Actor::LoopOfConstructor() const {
  if (cell_ == nullptr && birth_ != nullptr) return birth_->loop();
  std::fprintf(stderr,
               cell_ == nullptr
                   ? "trolley: Actor::loop() of an object that no Spawn() has "
                     "made an actor of a bus\n"
                   : "trolley: Actor::loop() on a thread that is not the "
                     "actor's; send it a message instead\n");
  std::abort();
}

absl::Status Actor::NotOfABus() {
  return absl::FailedPreconditionError(
      "Spawn of an object that is no actor of a bus: Bus::Spawn makes one");
}

// The message that the actor handles; null: none.
const Envelope* Actor::InHand() const {
  return cell_ != nullptr ? loop().turn().envelope : nullptr;
}

Address Actor::sender() const {
  const Envelope* e = InHand();
  if (e == nullptr || e->has(Envelope::kAskedExternally) || !e->sender)
    return Address();
  return Address(loop().bus_pointer(), e->sender);
}

Instant Actor::deadline() const {
  const Envelope* e = InHand();
  return e != nullptr ? e->deadline : Instant::Infinite();
}

TraceContext Actor::trace() const {
  const Envelope* e = InHand();
  return e != nullptr && e->context ? e->context->trace() : TraceContext();
}

void Actor::SetTrace(const TraceContext& trace) {
  if (InHand() == nullptr) return;
  Envelope* e = loop().turn().envelope;
  // Whoever waits goes on waiting: the chain is rebuilt on the new root.
  Context::Ptr root = Context::New(trace, ActorId(), nullptr);
  std::vector<ActorId> askers;
  for (const Context* c = e->context.get(); c != nullptr; c = c->parent()) {
    if (c->asker()) askers.push_back(c->asker());
  }
  for (auto asker = askers.rbegin(); asker != askers.rend(); ++asker) {
    root = Context::New(trace, *asker, std::move(root));
  }
  e->SetContext(std::move(root));
}

}  // namespace trolley
