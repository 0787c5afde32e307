// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/actor.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "trolley/bus/loop/pending_spawn.h"
#include "trolley/bus/loop/scheduled_message.h"

namespace trolley {
namespace {

using StatusFrame = std::coroutine_handle<internal::TaskPromise<absl::Status>>;

internal::Outcome FinishTask(internal::SuspendedHandler* handler,
                             internal::Envelope*) {
  auto frame = StatusFrame::from_address(handler->frame.address());
  internal::FrameOwner owner(frame);
  const absl::Status status = frame.promise().Result();
  if (status.ok()) return internal::Outcome::kHandled;
  // The caller ends the actor if this throws.
  throw std::runtime_error(status.ToString());
}

internal::SuspendedHandler& HandlerOf(Task<absl::Status> task) {
  StatusFrame frame = task.Release();
  if (!frame) internal::ThrowMisuse("a Task runs once");
  internal::SuspendedHandler& handler = frame.promise().BeginHandler(frame);
  handler.finish = &FinishTask;
  return handler;
}

}  // namespace

internal::HandlerCoroutine* internal::StartTask(Task<absl::Status> task,
                                                bool interleaved) {
  SuspendedHandler& handler = HandlerOf(std::move(task));
  handler.holds_mailbox = !interleaved;
  return &handler;
}

void internal::HasStarted(ActorBase& actor) {
  Loop::Current()->lifecycle().HasStarted(*CellOf(actor));
}

Address Actor::address() const {
  if (cell() != nullptr) return Address(loop().bus_pointer(), cell()->self);
  return construction() != nullptr ? construction()->address() : Address();
}

void Actor::Stop() {
  if (cell() != nullptr) {
    own_loop().guard().Stop(*cell(), /*drain=*/false);
  } else if (construction() != nullptr) {
    construction()->requests().Stop();
  }
}

internal::EnvelopePtr Actor::NewEnvelopeToSelf(size_t bytes) {
  const bool lives = cell() != nullptr;
  const ActorId self = lives ? cell()->self : construction()->address().id();
  const internal::Envelope::Head head = {
      .target = self, .sender = self, .flags = internal::Envelope::kUrgentLane};
  internal::EnvelopePtr e(
      lives ? own_loop().router().NewEnvelope(bytes, head)
            : internal::EnvelopePool::GetFromHeap(bytes, head));
  if (lives) internal::SetTraceOf({}, &loop(), *e);
  return e;
}

uint64_t Actor::SendAfter(absl::Duration after, internal::EnvelopePtr e) {
  if (cell() != nullptr) {
    return internal::ScheduledMessage::Set(loop().router(), loop().timers(),
                                           *this, e.release(),
                                           loop().Now() + after);
  }
  const Clock& clock = construction()->bus_pointer()->clock();
  return construction()->requests().SendAt(e.release(), clock.Now() + after);
}

ExitReason Actor::exit_reason() const {
  // mutant: P9_AnActorDoesNotLearnWhyItEnds
  return cell() != nullptr ? loop().bus().ExitOf(cell()->self) : ExitReason();
}

bool Actor::IsFirstTellLast() {
  if (cell() == nullptr) return false;
  (void)own_loop();  // ends the program on another thread
  const bool first = !cell()->told_last;
  cell()->told_last = true;
  // mutant: P6_EveryMessageIsTheLast
  return first;
}

bool Actor::CancelTimer(TimerId id) {
  if (cell() != nullptr) {
    (void)own_loop();  // ends the program on another thread
    return internal::ScheduledMessage::Cancel(*this, id.value);
  }
  return construction() != nullptr &&
         construction()->requests().Cancel(id.value);
}

void Actor::HoldMailbox() {
  internal::SuspendedHandler& handler =
      internal::HandlerInHand(internal::Loop::Current(), "HoldMailbox()",
                              cell() != nullptr ? cell()->self : ActorId());
  // Without a cell: this is no actor, or one that is being constructed.
  if (handler.envelope == nullptr || cell() == nullptr) {
    internal::ThrowNoHandler("HoldMailbox()");
  }
  handler.holds_mailbox = true;
  if (handler.cell != nullptr) cell()->actor_state.set_busy(true);
}

void Actor::RunInBackground(Task<absl::Status> task) {
  if (!begins_things()) return;
  internal::SuspendedHandler& handler = HandlerOf(std::move(task));
  if (cell() != nullptr) {
    own_loop().coroutines().RunTask(*cell(), handler);
  } else {
    construction()->requests().Run(&handler);
  }
}

bool Actor::LivesOn(internal::Loop& loop) const {
  const ActorId self = cell()->self;
  const internal::CellTable& cells = loop.inbox().cells;
  return self.loop() == loop.index() && self.slot() < cells.used() &&
         cells.Find(self.slot()) == cell();
}

internal::Loop& Actor::LoopOfConstructor() const {
  if (construction() != nullptr) return construction()->loop();
  std::fprintf(stderr,
               cell() == nullptr
                   ? "trolley: Actor::context() of an object that no Spawn() "
                     "has made an actor of a bus\n"
                   : "trolley: Actor::context() or another verb of an actor, "
                     "on a thread that is not that of its loop; send the actor "
                     "a message instead\n");
  std::abort();
}

absl::Status Actor::NotOfABus() {
  return absl::FailedPreconditionError(
      "Spawn of an object that is no actor of a bus: Bus::Spawn makes one");
}

// The message that the actor handles; null: none.
const internal::Envelope* Actor::InHand() const {
  return cell() != nullptr ? loop().current().envelope : nullptr;
}

bool Actor::is_ask() const {
  const internal::Envelope* e = InHand();
  return e != nullptr && e->is_ask();
}

Address Actor::sender() const {
  const internal::Envelope* e = InHand();
  if (e == nullptr || e->has(internal::Envelope::kAskedExternally) ||
      !e->sender)
    return Address();
  return Address(loop().bus_pointer(), e->sender);
}

Instant Actor::deadline() const {
  const internal::Envelope* e = InHand();
  return e != nullptr ? e->deadline : Instant::Infinite();
}

TraceContext Actor::trace() const {
  const internal::Envelope* e = InHand();
  return e != nullptr && e->context ? e->context->trace() : TraceContext();
}

std::vector<std::string> Actor::askers() const {
  std::vector<std::string> askers;
  const internal::Envelope* e = InHand();
  if (e == nullptr) return askers;
  const internal::BusState& bus = loop().bus();
  const std::string process =
      absl::StrCat(absl::Hex(bus.instance_id(), absl::kZeroPad16), "/");
  const internal::CausalContext* root = nullptr;
  if (e->ask_id() != 0) askers.push_back(process + bus.Describe(e->sender));
  for (const internal::CausalContext* c = e->context.get(); c != nullptr;
       c = c->parent()) {
    if (c->asker()) askers.push_back(process + bus.Describe(c->asker()));
    root = c;
  }
  if (root != nullptr) {
    askers.insert(askers.end(), root->foreign_askers().rbegin(),
                  root->foreign_askers().rend());
  }
  std::reverse(askers.begin(), askers.end());
  return askers;
}

void Actor::SetTrace(const TraceContext& trace) {
  if (cell() == nullptr) return;
  internal::Envelope* e = own_loop().current().envelope;
  if (e == nullptr) return;
  // The same actors wait: their chain is built again on the new trace.
  std::vector<ActorId> askers;
  std::vector<std::string> foreign_askers;
  for (const internal::CausalContext* c = e->context.get(); c != nullptr;
       c = c->parent()) {
    if (c->asker()) askers.push_back(c->asker());
    if (c->parent() == nullptr) foreign_askers = c->foreign_askers();
  }
  internal::CausalContext::Ptr root =
      internal::CausalContext::NewForeign(trace, std::move(foreign_askers));
  for (auto asker = askers.rbegin(); asker != askers.rend(); ++asker) {
    root = internal::CausalContext::New(trace, *asker, std::move(root));
  }
  e->SetContext(std::move(root));
}

}  // namespace trolley
