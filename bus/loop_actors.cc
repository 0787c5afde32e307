// SPDX-License-Identifier: Apache-2.0
//
// What a loop does with its actors: adopts them, gives them their messages and
// ends them. The order of a turn is in loop.cc.

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "trolley/bus/control_messages.h"
#include "trolley/bus/external_ask.h"
#include "trolley/bus/loop.h"
#include "trolley/bus/scheduled_message.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

// Fit for a log and a Status: it may come from anywhere.
std::string WhatIsThrown() {
  try {
    throw;
  } catch (const std::exception& e) {
    return e.what() != nullptr ? Printable(e.what()) : "";
  } catch (...) {
    return "something that is no std::exception";
  }
}

// Whether the actor takes no message while this one waits.
bool KeepsBusy(const Cell& cell, const SuspendedHandler& handler) {
  return handler.envelope != nullptr &&
         (!cell.is_interleaved() || handler.holds_mailbox);
}

bool AnyKeepsBusy(const Cell& cell) {
  const SuspendedHandler* h = cell.suspended;
  while (h != nullptr && !KeepsBusy(cell, *h)) h = h->next;
  return h != nullptr;
}

}  // namespace

// --- Sending ---------------------------------------------------------------

void Loop::DeliverLocal(Envelope* e) {
  Cell& cell = *port_.cells.Find(e->target.slot());
  if (cell.self == e->target && e->has(Envelope::kDataLane)) [[likely]] {
    Queue(cell, e);
  } else {
    DeliverRarely(cell, e);
  }
}

void Loop::DeliverRarely(Cell& cell, Envelope* e) {
  if (cell.self != e->target) {
    if (cell.credits.generation() != e->target.generation()) {
      DropUndelivered(e);
      return;
    }
    // The id is younger than what lives here: its actor is still on its way.
    cell.self = e->target;
    cell.standing.set_state(Cell::State::kReserved);
    cell.local_places = 0;
  }
  if (e->type == &kControlMessage<SpawnRequest>) {
    SpawnRequest& request = e->payload<SpawnRequest>();
    Adopt(cell, std::move(request.actor), request.actor_class, request.options,
          request.start_sequence, std::move(request.early));
    e->type->drop(e);
    Free(e);
    return;
  }
  if (e->type == &kControlMessage<AbandonRequest>) {
    e->type->drop(e);
    Free(e);
    EndActor(cell, /*queued=*/false);
    return;
  }
  if (e->has(Envelope::kDataLane)) {
    cell.data.Push(e);
    ++cell.data_queued;
    if (cell.standing.busy()) return expiry_.Watch(cell, e->deadline);
  } else {
    (e->has(Envelope::kReplyLane) ? cell.urgent.reply : cell.urgent.control)
        .Push(e);
    cell.standing.set_urgent(true);
  }
  if (cell.state() != Cell::State::kReserved) run_queue_.Push(cell);
}

bool Loop::TakeHandedOver() {
  Envelope* e = port_.handoff.Take();
  if (e == nullptr) return false;
  while (e != nullptr) {
    Envelope* next = e->next;
    if (next != nullptr) __builtin_prefetch(next->next);
    if (e->is_reply()) {
      replies_.Push(e);
    } else if (e->type == &kControlMessage<Command>) {
      std::move(e->payload<Command>())(*this);
      e->type->drop(e);
      Free(e);
      if (ended_) return DropChain(next);
    } else {
      DeliverLocal(e);
    }
    e = next;
  }
  return true;
}

bool Loop::DropChain(Envelope* e) {
  while (e != nullptr) {
    Envelope* next = e->next;
    DropUndelivered(e);
    e = next;
  }
  return true;
}

void Loop::SendReply(Envelope* reply) {
  if (reply->has(Envelope::kAskedExternally)) {
    RefPtr<ExternalAsk> ask = RefPtr<ExternalAsk>::Adopt(reply->external);
    ask->OnReply(reply);
    Free(reply);
    return;
  }
  const uint32_t loop = reply->sender.loop();
  if (loop == port_.index) {
    replies_.Push(reply);
  } else if (outboxes_.Add(loop, reply)) {
    FlushOutboxes();
  }
}

void Loop::CancelAsk(ActorId asked, const AskKey& key) {
  Send(ControlEnvelope(NewEnvelope(Envelope::BytesFor<AskCancelled>()), asked,
                       AskCancelled{.key = key, .external = {}}));
}

// A reply that nobody waits for any more.
void Loop::DropReply(Envelope* reply) {
  const ActorId replier = reply->target;
  const bool has_place =
      reply->type == &kStatusReply && reply->payload<absl::Status>().ok();
  reply->type->drop(reply);
  Free(reply);
  // The answer to a RoomRequest. The place must not die with who wanted it.
  if (has_place) {
    Send(ControlEnvelope(NewEnvelope(Envelope::BytesFor<ReturnedPlace>()),
                         replier, ReturnedPlace{}));
  }
}

// `note`: for the asker, beside the end of the actor.
void Loop::DropUndelivered(Envelope* e, absl::string_view note) {
  if (e->is_reply()) return DropReply(e);
  if (e->lane() != Lane::kControl) {
    port_.ledger.dead_lettered.Increment();
  }
  e->type->drop(e);
  if (!e->is_ask()) {
    Free(e);
    return;
  }
  e->type->answer(
      e, absl::NotFoundError(absl::StrCat(bus_->DescribeEnd(e->target),
                                          note.empty() ? "" : "; ", note)));
  e->marks |= Envelope::kEndedFirst;
  SendReply(e);
}

// --- Adopting and handling -------------------------------------------------

void Loop::Adopt(Cell& cell, std::unique_ptr<ActorBase> actor,
                 const ActorClass* actor_class, const SpawnOptions& options,
                 uint64_t start_sequence,
                 std::unique_ptr<EarlyRequests> early) {
  const ActorId id(index(), cell.slot, cell.credits.generation());
  if (cell.self != id) {
    cell.self = id;
    cell.local_places = 0;
  }
  actor->cell_ = &cell;
  actor->start_sequence_ = start_sequence;
  cell.actor = actor.release();
  cell.actor_class = actor_class;
  cell.handled = 0;
  cell.interleaved = options.interleaved || actor_class->interleaved;
  cell.capacity = std::max<uint32_t>(options.mailbox_capacity, 1);
  if (!options.name.empty()) {
    cell.name = std::make_unique<std::string>(options.name);
  }
  cell.standing.set_state(Cell::State::kStarting);
  cell.UpdateKeptPlaces();
  run_queue_.PushFresh(cell);
  if (early != nullptr) [[unlikely]]
    AdoptEarly(cell, std::move(early));
}

void Loop::AdoptEarly(Cell& cell, std::unique_ptr<EarlyRequests> early) {
  for (const EarlyRequests::Timed& timed : early->TakeTimed()) {
    if (timed.message == nullptr) continue;
    ScheduledMessage::Set(*this, *cell.actor, timed.message, timed.at,
                          timed.id);
  }
  if (early->stop()) {
    StopActor(cell, /*drain=*/false);
  } else if (early->has_tasks()) {
    early_[&cell] = std::move(early);
  }
}

template <typename What>
bool Loop::Guarded(Cell& cell, absl::string_view doing, What what) {
  const Turn outer =
      std::exchange(turn_, Turn{.cell = &cell, .self = cell.self});
  const uint64_t running = port_.running_actor.load(std::memory_order_relaxed);
  port_.running_actor.store(cell.self.word(), std::memory_order_relaxed);
  absl::Cleanup restore = [&] {
    turn_ = outer;
    port_.running_actor.store(running, std::memory_order_relaxed);
  };
  try {
    what();
    return true;
  } catch (...) {
    Fail(cell, doing);
    return false;
  }
}

// The actor ends by the exception in hand, which came out of `doing`. What is
// thrown comes from outside: this is where its text gets in, to the log and to
// all who ask why the actor has ended.
void Loop::Fail(Cell& cell, absl::string_view doing) {
  const std::string what = absl::StrCat(doing, " threw: ", WhatIsThrown());
  // Senders that are refused from now on find the reason.
  cell.set_exit(cell.self.generation(), ExitReason::Kind::kFailed);
  bus_->obituaries().Add(
      cell.self, cell.name != nullptr ? *cell.name : "",
      {.kind = ExitReason::Kind::kFailed, .error = absl::InternalError(what)});
  StopActor(cell, /*drain=*/false);
  bus_->Log(absl::StrCat(NameOf(cell), " (", cell.actor_class->name(),
                         ") ends: ", what),
            cell.actor_class->name());
}

void Loop::RunActors() {
  run_queue_.BeginTurn();
  const uint32_t slice = options_.messages_per_slice;
  const uint32_t flood = options_.messages_per_turn;
  for (uint32_t left = options_.messages_per_turn; left > 0;) {
    Cell* cell = run_queue_.Pop();
    if (cell == nullptr) break;
    if (cell->data_queued < flood) [[likely]] {
      left -= RunSlice(*cell, std::min(left, slice));
    } else {
      // What was sent so far does not wait for it, and others do not for long.
      turn_ = {};
      FlushOutboxes();
      left -= RunLongSlice(*cell, std::min(left, (slice + 1) / 2));
      if (OthersWait()) break;
    }
  }
  turn_ = {};
  port_.running_actor.store(0, std::memory_order_relaxed);
}

// Whether the turn should end for what other loops have handed over. Short
// handlers are over soon enough: to look costs the cache line of the hand-off.
bool Loop::OthersWait() {
  constexpr uint64_t kSoon = 1 << 15;
  const uint64_t now = clock_.Ticks();
  if (now - looked_at_ < kSoon) return false;
  looked_at_ = now;
  return port_.handoff.HasWork();
}

// Not in line: for what is no matter of a single message.
uint32_t Loop::RunLongSlice(Cell& cell, uint32_t most) {
  return RunSlice(cell, most);
}

// Returns how many messages it took, at most `most`; to start, and to end after
// none, count as one.
// Leaves `turn_` to the next slice.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint32_t Loop::RunSlice(Cell& cell,
                                                            uint32_t most) {
  const ActorId self = cell.self;
  port_.running_actor.store(self.word(), std::memory_order_relaxed);
  turn_.cell = &cell;
  turn_.self = self;
  uint32_t left = most;
  if (cell.state() == Cell::State::kStarting) [[unlikely]] {
    StartActor(cell);
    --left;
  }
  for (; left > 0; --left) {
    Envelope* e;
    if (cell.standing.takes_only_data()) [[likely]] {
      e = cell.data.Pop();
      if (e == nullptr) {
        HaveNothingToDo(cell);
        return most - left;
      }
      --cell.data_queued;
    } else {
      e = NextMessage(cell);
      if (e == nullptr) break;
      if (e->lane() == Lane::kControl) {
        HandleControl(cell, e);
        continue;
      }
      if (cell.standing.takes_no_asks() && e->is_ask()) {
        RefuseAsk(cell, e);
        continue;
      }
    }
    HandleMessage(cell, e);
  }
  if (HasEnded(cell)) {
    if (left == most) --left;  // to end counts as one, too
    turn_ = {};
    EndActor(cell, /*queued=*/false);
  } else if (cell.has_work()) {
    run_queue_.PushAgain(cell);
  } else {
    HaveNothingToDo(cell);
  }
  return most - left;
}

inline void Loop::HaveNothingToDo(Cell& cell) {
  RunQueue::Release(cell);
  if (cell.kept_places == 0) [[unlikely]] {
    room_.GiveAll(cell);
  }
}

// The next one of any lane, for the actor in the state that it is in.
Envelope* Loop::NextMessage(Cell& cell) {
  if (Envelope* control = cell.urgent.control.Pop()) return control;
  if (cell.standing.busy() || cell.state() == Cell::State::kStopping) {
    return nullptr;
  }
  if (Envelope* reply = cell.urgent.reply.Pop()) return reply;
  cell.standing.set_urgent(false);
  Envelope* data = cell.data.Pop();
  if (data != nullptr) --cell.data_queued;
  return data;
}

void Loop::StartActor(Cell& cell) {
  cell.standing.set_state(Cell::State::kRunning);
  cell.UpdateKeptPlaces();
  cell.started = Guarded(cell, "OnStart", [&] { cell.actor->OnStart(); });
  if (early_.empty() || !cell.started) return;
  const auto early = early_.extract(&cell);
  if (early.empty()) return;
  for (SuspendedHandler* task : early.mapped()->TakeTasks()) {
    RunTask(cell, *task);
  }
}

void Loop::RunTask(Cell& cell, SuspendedHandler& task) {
  Suspend(cell, task);
  Resume(task, task.frame);
}

bool Loop::HasEnded(const Cell& cell) const {
  return cell.state() == Cell::State::kStopping ||
         (cell.state() == Cell::State::kDraining && cell.data.empty() &&
          cell.urgent.empty() && !cell.handles_something());
}

void Loop::HandleControl(Cell& cell, Envelope* e) {
  if (e->type == &kControlMessage<StopRequest>) {
    StopActor(cell, e->payload<StopRequest>().drain);
  } else if (e->type == &kControlMessage<RoomRequest>) {
    if (cell.state() != Cell::State::kRunning) {
      return DropUndelivered(e);
    }
    return room_.Wait(cell, e);
  } else if (e->type == &kControlMessage<ReturnedPlace>) {
    room_.GiveBack(cell);
  } else if (e->type == &kControlMessage<AskCancelled>) {
    expiry_.AskerHasGone(cell, e->payload<AskCancelled>().key);
  }
  e->type->drop(e);
  Free(e);
}

void Loop::RefuseAsk(Cell& cell, Envelope* e) {
  port_.ledger.dead_lettered.Increment();
  if (e->has(Envelope::kHoldsCredit)) room_.GiveBack(cell);
  e->type->drop(e);
  e->type->answer(e, absl::ResourceExhaustedError(absl::StrCat(
                         NameOf(cell), " has ", cell.suspended_asks,
                         " asks that wait in its handlers; more would take "
                         "the places of other messages")));
  SendReply(e);
}

void Loop::DropExpired(Cell& cell, Envelope* e) {
  port_.ledger.expired.Increment();
  if (e->has(Envelope::kHoldsCredit)) room_.GiveBack(cell);
  e->type->drop(e);
  if (!e->is_ask()) return Free(e);
  // Who asked knows how long it has waited, and says so.
  e->type->answer(e, absl::DeadlineExceededError(
                         absl::StrCat(NameOf(cell), " did not reply in time")));
  e->marks |= Envelope::kExpiredFirst;
  SendReply(e);
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline void Loop::HandleMessage(Cell& cell,
                                                             Envelope* e) {
  if (!e->deadline.is_infinite() && e->deadline <= clock_.Recent())
      [[unlikely]] {
    return DropExpired(cell, e);
  }
  turn_.envelope = e;
  // What Guarded() does, spelled out: this is the hot path.
  Outcome outcome;
  try {
    outcome = e->type->deliver(*cell.actor, e, *this);
  } catch (...) {
    turn_.handler = nullptr;
    outcome = Outcome::kFailed;
    FailedByThrowing(cell, e);
  }
  if (outcome == Outcome::kHandled) [[likely]] {
    Complete(cell, e, Outcome::kHandled);
  } else if (outcome == Outcome::kFailed) {
    CompleteFailed(cell, e);
  }
}

// Not in line with what follows a handler that went well.
void Loop::CompleteFailed(Cell& cell, Envelope* e) {
  Complete(cell, e, Outcome::kFailed);
}

void Loop::FailedByThrowing(Cell& cell, Envelope* e) {
  Fail(cell, e != nullptr ? absl::StrCat("its handler of ", e->type->name())
                          : "its background task");
  if (e == nullptr || !e->is_ask()) return;
  e->type->answer(e, absl::InternalError(bus_->DescribeEnd(cell.self)));
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline void Loop::Complete(Cell& cell, Envelope* e,
                                                        Outcome outcome) {
  (outcome == Outcome::kHandled ? port_.ledger.handled : port_.ledger.failed)
      .Increment();
  ++cell.handled;
  const uint64_t size_class = envelopes_.OwnTellClass(e);
  if (size_class <= Envelope::kMaxSizeClass) [[likely]] {
    room_.GiveBack(cell);
    port_.pool.PutOwnBare(e, size_class);
    return;
  }
  if (e->has(Envelope::kHoldsCredit)) room_.GiveBack(cell);
  if (e->is_reply()) {
    SendReply(e);
  } else {
    Free(e);
  }
}

// --- Coroutine handlers ----------------------------------------------------

void Loop::Suspend(Cell& cell, SuspendedHandler& handler) {
  handler.cell = &cell;
  handler.next = cell.suspended;
  handler.previous = nullptr;
  if (handler.next != nullptr) handler.next->previous = &handler;
  cell.suspended = &handler;
  if (handler.envelope != nullptr) ++suspended_messages_;
  if (KeepsBusy(cell, handler)) cell.standing.set_busy(true);
  if (handler.envelope != nullptr) Keep(cell, handler);
}

// A suspended handler and what waits behind it hold places.
void Loop::Keep(Cell& cell, SuspendedHandler& handler) {
  Envelope* e = handler.envelope;
  if (!e->deadline.is_infinite()) {
    expiry_.Watch(cell, e->deadline + cell.actor_class->overtime);
  }
  if (cell.standing.busy()) {
    if (!cell.data.empty()) expiry_.WatchMailbox(cell);
  } else if (e->is_ask()) {
    handler.counted = true;
    if (++cell.suspended_asks >= cell.most_suspended_asks()) {
      cell.standing.set_takes_no_asks(true);
    }
  }
}

void Loop::Unlink(SuspendedHandler& handler) {
  Cell& cell = *handler.cell;
  (handler.previous != nullptr ? handler.previous->next : cell.suspended) =
      handler.next;
  if (handler.next != nullptr) handler.next->previous = handler.previous;
  if (handler.envelope != nullptr) --suspended_messages_;
  if (KeepsBusy(cell, handler)) {
    cell.standing.set_busy(cell.is_interleaved() && AnyKeepsBusy(cell));
  }
  if (handler.counted) {
    --cell.suspended_asks;
    cell.standing.set_takes_no_asks(false);
  }
}

void Loop::Resume(SuspendedHandler& handler, std::coroutine_handle<> at) {
  Cell& cell = *handler.cell;
  const Turn outer = std::exchange(turn_, {.cell = &cell,
                                           .self = cell.self,
                                           .envelope = handler.envelope,
                                           .handler = &handler});
  const uint64_t running = port_.running_actor.load(std::memory_order_relaxed);
  port_.running_actor.store(cell.self.word(), std::memory_order_relaxed);
  handler.Run(at);
  turn_ = outer;
  port_.running_actor.store(running, std::memory_order_relaxed);
  if (handler.finished()) CompleteSuspended(handler);
}

void Loop::CompleteSuspended(SuspendedHandler& handler) {
  Cell& cell = *handler.cell;
  Envelope* e = handler.envelope;
  Unlink(handler);
  Outcome outcome = Outcome::kFailed;
  const Turn outer = std::exchange(
      turn_, Turn{.cell = &cell, .self = cell.self, .envelope = e});
  try {
    outcome = handler.finish(&handler, e);
  } catch (...) {
    FailedByThrowing(cell, e);
  }
  turn_ = outer;
  if (e != nullptr) Complete(cell, e, outcome);
  GoOn(cell);
}

void Loop::CancelHandler(Cell& cell, SuspendedHandler& handler) {
  Envelope* e = handler.envelope;
  Unlink(handler);
  Guarded(cell, "what a cancelled handler had",
          [&] { handler.frame.destroy(); });
  DropExpired(cell, e);
  GoOn(cell);
}

// One of its handlers is over.
void Loop::GoOn(Cell& cell) {
  const bool ending = cell.state() == Cell::State::kStopping ||
                      cell.state() == Cell::State::kDraining;
  if (ending || cell.has_work()) run_queue_.Push(cell);
}

// --- Ending ----------------------------------------------------------------

void Loop::StopActor(Cell& cell, bool drain) {
  if (cell.state() == Cell::State::kStopping) return;
  cell.standing.set_state(drain ? Cell::State::kDraining
                                : Cell::State::kStopping);
  // It gives out no further places, or a steady sender would keep it for ever.
  cell.local_places = 0;
  cell.kept_places = 0;
  // One that drains is full for others; one that stops has gone for them.
  const uint32_t generation = cell.self.generation();
  cell.credits.Open(drain ? generation : generation + 1, 0);
  while (Envelope* e = cell.room_requests.Pop()) DropUndelivered(e);
  run_queue_.Push(cell);
}

void Loop::CancelSuspended(Cell& cell) {
  while (SuspendedHandler* handler = cell.suspended) {
    Envelope* e = handler->envelope;
    Unlink(*handler);
    handler->Cancel();
    if (e != nullptr) DropUndelivered(e, "it had begun to handle this");
  }
}

// One that is `queued` in the run queue keeps its cell until the queue comes to
// it: to take it out would mean to look at all the others in there.
void Loop::EndActor(Cell& cell, bool queued) {
  if (!cell.self) {  // it has ended, and the queue has come to it
    cell.standing = {};
    port_.cells.Free(&cell, cell.credits.generation() - 1);
    return;
  }
  // What comes from now on is refused at the sender.
  const ActorId id = cell.self;
  const uint32_t generation = id.generation();
  cell.set_exit(generation, ExitKind(cell));
  cell.standing.set_state(Cell::State::kStopping);
  cell.standing.set_runnable(
      true);  // whatever happens below, it is not queued again
  if (cell.actor != nullptr) {
    if (!early_.empty()) early_.erase(&cell);
    CancelSuspended(cell);
    if (cell.started) Guarded(cell, "OnStop", [&] { cell.actor->OnStop(); });
    // From here on it begins nothing. What OnStop began ends here too.
    std::unique_ptr<ActorBase> actor(std::exchange(cell.actor, nullptr));
    CancelSuspended(cell);
    ScheduledMessage::CancelAll(*actor);
    Guarded(cell, "its destructor", [&] { actor.reset(); });
  }
  if (cell.name != nullptr) {
    bus_->obituaries().Add(id, *cell.name, {.kind = cell.exit_of(generation)});
    bus_->names().Remove(*cell.name, id);
    cell.name.reset();
  }
  cell.credits.Close(generation + 1);
  while (Envelope* e = cell.room_requests.Pop()) DropUndelivered(e);
  for (SmallEnvelopeQueue* lane : {&cell.urgent.control, &cell.urgent.reply}) {
    while (Envelope* e = lane->Pop()) DropUndelivered(e);
  }
  while (Envelope* e = cell.data.Pop()) DropUndelivered(e);
  watchers_.Tell(id, *this);
  cell.data_queued = 0;
  cell.local_places = 0;
  cell.started = false;
  cell.expiry_watched = false;
  cell.suspended_asks = 0;
  cell.standing = {};
  cell.kept_places = 0;
  cell.self = ActorId();
  if (queued) {
    cell.standing.set_state(Cell::State::kStopping);
    cell.standing.set_runnable(true);
  } else {
    port_.cells.Free(&cell, generation);
  }
}

void Loop::DrainActor(Cell& cell) {
  if (!cell.started) return;
  Guarded(cell, "OnDrain", [&] { cell.actor->OnDrain(); });
}

// Up to `most` messages of one that is about to end, of which `left` now.
void Loop::HandleLastWords(Cell& cell, uint32_t& most, uint32_t& left) {
  turn_ = {.cell = &cell, .self = cell.self};
  port_.running_actor.store(cell.self.word(), std::memory_order_relaxed);
  if (cell.state() == Cell::State::kStarting) StartActor(cell);
  for (; most > 0 && left > 0; --most, --left) {
    Envelope* e = NextMessage(cell);
    if (e == nullptr) {
      most = 0;
      break;
    }
    if (e->lane() == Lane::kControl) {
      HandleControl(cell, e);
    } else {
      HandleMessage(cell, e);
    }
  }
  turn_ = {};
  port_.running_actor.store(0, std::memory_order_relaxed);
}

bool Loop::EndActors(Endings& endings) {
  uint32_t left = options_.messages_per_turn;
  while (endings.next < endings.ids.size() && left > 0) {
    Cell* cell = Find(endings.ids[endings.next]);
    if (cell != nullptr && endings.handle_queued && cell->has_work()) {
      // What the actors before it sent it as they ended, and a slice.
      if (!endings.queued.has_value()) {
        endings.queued = cell->data_queued + options_.messages_per_slice;
      }
      HandleLastWords(*cell, *endings.queued, left);
      if (*endings.queued > 0) break;  // it goes on with the next step
    }
    if (cell != nullptr) {
      port_.stats.cells_looked_at.Increment();
      EndActor(*cell, /*queued=*/cell->standing.runnable());
    }
    endings.queued.reset();
    ++endings.next;
    if (left > 0) --left;
  }
  // Before it is said that they have ended: actors of other loops are next.
  FlushOutboxes();
  return endings.next < endings.ids.size();
}

}  // namespace trolley
