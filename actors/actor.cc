// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/actor.h"

#include <stdexcept>
#include <string>

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

void Actor::RunInBackground(Task<absl::Status> task) {
  StatusFrame frame = task.Release();
  SuspendedHandler& handler = frame.promise().handler;
  handler.frame = frame;
  handler.finish = &FinishBackground;
  loop().Suspend(*cell_, handler);
  loop().Resume(handler, frame);
}

Address Actor::sender() const {
  const Envelope* e = loop().turn().envelope;
  if (e == nullptr || e->has(Envelope::kAskedExternally) || !e->sender) return Address();
  return Address(loop().bus_pointer(), e->sender);
}

Instant Actor::deadline() const {
  const Envelope* e = loop().turn().envelope;
  return e != nullptr ? e->deadline : Instant::Infinite();
}

TraceContext Actor::trace() const {
  const Envelope* e = loop().turn().envelope;
  return e != nullptr && e->context ? e->context->trace() : TraceContext();
}

void Actor::SetTrace(const TraceContext& trace) {
  Envelope* e = loop().turn().envelope;
  if (e == nullptr) return;
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
