// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/actor_lifecycle.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <string>
#include <utility>

#include "trolley/bus/loop/info_of.h"
#include "trolley/bus/loop/scheduled_message.h"

namespace trolley::internal {

void ActorLifecycle::Adopt(Cell& cell, std::unique_ptr<ActorBase>&& actor,
                           const ActorClass& actor_class,
                           const SpawnOptions& options, uint64_t start_sequence,
                           std::unique_ptr<EarlyRequests>&& early) {
  const ActorId id(router_.inbox().index, cell.slot, cell.credits.generation());
  if (cell.self != id) {
    cell.self = id;
    cell.local_credits = 0;
  }
  assert(cell.actor == nullptr && "the cell is not free");
  ActorAccess::slot(*actor) = &cell;
  ActorAccess::start_sequence(*actor) = start_sequence;
  cell.actor = actor.release();
  cell.actor_class = &actor_class;
  cell.handled = 0;
  cell.set_interleaved(actor_class.interleaved);
  cell.capacity = std::max<uint32_t>(CreditsFor(options), 1);
  cell.actor_state.set_trims(options.overflow == Overflow::kDropOldest);
  cell.actor_state.set_observed(router_.observer() != nullptr);
  if (!options.name.empty()) {
    cell.name = std::make_unique<std::string>(options.name);
  }
  cell.actor_state.set_state(Cell::State::kStarting);
  cell.UpdateKeptCredits();
  router_.run_queue().PushFresh(cell);
  if (early != nullptr) [[unlikely]] {
    AdoptEarly(cell, std::move(early));
  }
}

void ActorLifecycle::AdoptEarly(Cell& cell,
                                std::unique_ptr<EarlyRequests> early) {
  for (const EarlyRequests::Timed& timed : early->TakeTimed()) {
    if (timed.message == nullptr) continue;
    ScheduledMessage::Set(router_, timers_, *cell.actor, timed.message,
                          timed.at, timed.id);
  }
  if (early->stop()) {
    guard_.Stop(cell, /*drain=*/false);
  } else if (early->has_tasks()) {
    early_[&cell] = std::move(early);
  }
}

void ActorLifecycle::Abandon(Cell& cell, ActorId id, ExitReason::Kind why) {
  bus_.FreeName(id, {.kind = why});
  // The end of the loop may have ended it, because messages had come for it.
  if (cell.credits.generation() != id.generation()) return;
  if (cell.self != id) {
    cell.self = id;
    cell.local_credits = 0;
  }
  cell.set_exit(id.generation(), why);
  End(cell, /*queued=*/false);
}

void ActorLifecycle::Start(Cell& cell) {
  assert(cell.state() == Cell::State::kStarting);
  cell.actor_state.set_state(Cell::State::kRunning);
  cell.UpdateKeptCredits();
  if (RunObserver* observer = router_.observer()) {
    observer->Saw(RunObserver::What::kStarted, cell.self, {}, {});
  }
  // As ActorGuard::Run(), without putting back what was in hand: nothing was.
  router_.current() = {.cell = &cell, .self = cell.self};
  router_.inbox().SetRunning(cell.self);
  cell.started =
      guard_.Try(cell, "OnStart", [&] { ActorAccess::Start(*cell.actor); });
  if (!cell.started) return;
  if (!early_.empty()) RunEarlyTasks(cell);
  if (cell.actor_class->start_task == nullptr) {
    if (cell.seat) [[unlikely]]
      HasStarted(cell);
  } else if (cell.state() == Cell::State::kRunning) {
    guard_.Run(cell, "OnStartTask", [&] {
      HandlerCoroutine* task = cell.actor_class->start_task(*cell.actor);
      coroutines_.RunTask(cell, static_cast<SuspendedHandler&>(*task));
    });
  }
  if (bus_.draining() && cell.state() != Cell::State::kStopping) {
    // mutant: P10_AnActorThatStartsLateIsNotToldToDrain
    Drain(cell);
  }
}

void ActorLifecycle::RunEarlyTasks(Cell& cell) {
  const auto early = early_.extract(&cell);
  if (early.empty()) return;
  for (SuspendedHandler* task : early.mapped()->TakeTasks()) {
    coroutines_.RunTask(cell, *task);
  }
}

void ActorLifecycle::Drain(Cell& cell) {
  if (!cell.started || cell.drained) return;
  cell.drained = true;
  guard_.Run(cell, "OnDrain", [&] { ActorAccess::Drain(*cell.actor); });
}

bool ActorLifecycle::IsOver(const Cell& cell) const {
  // mutant: P10_DrainingForgetsHandlersThatWait
  return cell.state() == Cell::State::kStopping ||
         (cell.state() == Cell::State::kDraining && cell.data.empty() &&
          cell.lanes.empty() && !cell.handles_something());
}

void ActorLifecycle::End(Cell& cell, bool queued) {
  LoopInbox& inbox = router_.inbox();
  if (!cell.self) {  // it has ended before; now it has left the run queue
    cell.actor_state = {};
    inbox.cells.Free(&cell, cell.credits.generation() - 1);
    return;
  }
  const ActorId id = cell.self;
  const uint32_t generation = id.generation();
  if (cell.seat) [[unlikely]] {
    ForgetSeat(cell);
    cell.vacant = false;
  }
  std::unique_ptr<ActorInfo> last;  // before anything of the actor goes
  if (cell.actor != nullptr && !watchers_.empty(id)) {
    last = std::make_unique<ActorInfo>(InfoOf(cell, router_.inbox()));
    last->start_sequence = 0;
  }
  cell.set_exit(generation, ExitKind(cell));
  cell.actor_state.set_state(Cell::State::kStopping);
  // Marked as runnable, so that nothing below puts it into the run queue.
  cell.actor_state.set_runnable(true);
  if (cell.actor != nullptr) EndObject(cell);
  if (RunObserver* observer = router_.observer()) {
    observer->Saw(RunObserver::What::kEnded, id, {}, {});
  }
  if (cell.name != nullptr) {
    bus_.exit_records().Add(id, *cell.name, {.kind = cell.exit_of(generation)});
    // mutant: P9_TheNameIsKeptWhenTheDownComes
    bus_.names().Remove(*cell.name, id);
    cell.name.reset();
  }
  // From here on a send is kGone.
  cell.credits.Close(generation + 1);
  if (cell.waiting_senders != nullptr) router_.DeadLetterWaitingSenders(cell);
  for (SmallEnvelopeQueue* lane : {&cell.lanes.control, &cell.lanes.urgent}) {
    while (Envelope* e = lane->Pop()) router_.DeadLetter(e);
  }
  while (Envelope* e = cell.data.Pop()) router_.DeadLetter(e);
  if (!watchers_.empty(id)) {
    watchers_.Tell(id,
                   {.reason = bus_.ExitOf(id),
                    .last = last != nullptr ? *std::move(last) : ActorInfo()});
  }
  cell.data_queued = 0;
  cell.local_credits = 0;
  cell.started = false;
  cell.drained = false;
  cell.told_last = false;
  cell.expiry_watched = false;
  cell.suspended_asks = 0;
  cell.actor_state = {};
  cell.kept_credits = 0;
  cell.self = ActorId();
  if (queued) {
    cell.actor_state.set_state(Cell::State::kStopping);
    cell.actor_state.set_runnable(true);
  } else {
    inbox.cells.Free(&cell, generation);
  }
}

void ActorLifecycle::EndObject(Cell& cell) {
  if (!early_.empty()) early_.erase(&cell);
  coroutines_.CancelAll(cell);
  const ActorGuard::InHand in_hand(guard_, cell);
  if (cell.started) {
    guard_.Try(cell, "OnStop", [&] { ActorAccess::Stop(*cell.actor); });
  }
  // From here on it cannot begin tasks or timers. Those of OnStop() end here.
  std::unique_ptr<ActorBase> actor(std::exchange(cell.actor, nullptr));
  coroutines_.CancelAll(cell);
  ScheduledMessage::CancelAll(*actor);
  guard_.Try(cell, "its destructor", [&] { actor.reset(); });
}

void ActorLifecycle::HasStarted(Cell& cell) {
  if (!cell.seat || cell.state() != Cell::State::kRunning) return;
  SeatRecord& seat = *seats_.at(&cell);
  seat.tell({.taken = true, .round = seat.round, .reason = {}});
}

void ActorLifecycle::MakeSeat(Cell& cell, std::unique_ptr<SeatRecord> seat) {
  seats_[&cell] = std::move(seat);
  cell.seat = true;
  LetWait(cell);
}

// There is no object in the seat: messages wait.
void ActorLifecycle::LetWait(Cell& cell) {
  cell.vacant = true;
  cell.actor_state.set_state(Cell::State::kRunning);
  cell.actor_state.set_busy(true);
  cell.UpdateKeptCredits();
  router_.WatchMailbox(cell);
}

void ActorLifecycle::Fill(Cell& cell, uint64_t round) {
  SeatRecord& seat = *seats_.at(&cell);
  seat.wanted = round;
  if (cell.vacant) MakeObject(cell, seat);
}

void ActorLifecycle::MakeObject(Cell& cell, SeatRecord& seat) {
  seat.round = seat.wanted;
  MadeActor made;
  if (!guard_.Run(cell, "its factory or constructor",
                  [&] { made = seat.make(cell.self); })) {
    return seat.tell(
        {.taken = false, .round = seat.round, .reason = TakeReason(cell)});
  }
  SeatObject(cell, std::move(made.actor));
  cell.vacant = false;
  cell.actor_state.set_busy(false);
  cell.actor_state.set_state(Cell::State::kStarting);
  cell.UpdateKeptCredits();
  if (made.early != nullptr) AdoptEarly(cell, std::move(made.early));
  if (cell.state() == Cell::State::kStarting) Start(cell);
}

// Puts `object` into the cell, in place of the one that is there, if any.
void ActorLifecycle::SeatObject(Cell& cell, std::unique_ptr<ActorBase> object) {
  ActorAccess::slot(*object) = &cell;
  ActorAccess::start_sequence(*object) = bus_.NextStartSequence();
  const std::unique_ptr<ActorBase> before(
      std::exchange(cell.actor, object.release()));
}

void ActorLifecycle::Vacate(Cell& cell) {
  cell.set_exit(cell.self.generation(), ExitKind(cell));
  cell.actor_state.set_state(Cell::State::kStopping);
  EndObject(cell);
  // Timers of the object that have fired, and what it was told without a
  // credit.
  SmallEnvelopeQueue gone = cell.lanes.urgent.TakeIf([](const Envelope& e) {
    // mutant: P9_ATimerOfAnObjectReachesTheNextOne
    return !e.has(Envelope::kHoldsCredit);
  });
  while (Envelope* e = gone.Pop()) router_.DeadLetter(e);
  SeatObject(cell, std::make_unique<EmptySeat>());
  cell.started = false;
  cell.drained = false;
  cell.told_last = false;
  assert(cell.suspended == nullptr && cell.suspended_asks == 0);
  LetWait(cell);
  SeatRecord& seat = *seats_.at(&cell);
  // mutant: P9_ARestartIsNotTold
  seat.tell({.taken = false, .round = seat.round, .reason = TakeReason(cell)});
  if (seat.wanted > seat.round) MakeObject(cell, seat);
}

// Why the object of a seat has ended. The seat has not, so nothing is kept.
ExitReason ActorLifecycle::TakeReason(Cell& cell) {
  ExitReason reason = bus_.ExitOf(cell.self);
  bus_.exit_records().Remove(cell.self);
  cell.set_exit(cell.self.generation(), ExitReason::Kind::kUnknown);
  return reason;
}

void ActorLifecycle::DropMessages(Cell& cell) {
  const auto drop = [&](Envelope* e) {
    const bool holds_credit = e->has(Envelope::kHoldsCredit);
    router_.DeadLetter(e, "its messages were dropped before a restart");
    // mutant: P6_DroppedMessagesKeepTheirCredits
    if (holds_credit) router_.credit_waiters().GiveBack(cell);
  };
  SmallEnvelopeQueue urgent = cell.lanes.urgent.TakeIf(
      [](const Envelope& e) { return e.has(Envelope::kHoldsCredit); });
  while (Envelope* e = urgent.Pop()) drop(e);
  while (Envelope* e = cell.data.Pop()) {
    --cell.data_queued;
    drop(e);
  }
}

// Not by erase(): what the factory captured may reserve a seat when it goes.
void ActorLifecycle::ForgetSeat(Cell& cell) {
  cell.seat = false;
  const auto forgotten = seats_.extract(&cell);
}

void ActorLifecycle::CloseSeat(Cell& cell, bool owner_ended) {
  ForgetSeat(cell);
  const uint32_t generation = cell.self.generation();
  // mutant: P9_TheEndOfTheOwnerIsNoReason
  if (owner_ended && cell.exit_of(generation) == ExitReason::Kind::kUnknown) {
    cell.set_exit(generation, ExitReason::Kind::kOwnerEnded);
  }
  if (cell.vacant) {
    cell.vacant = false;
    cell.actor_state.set_busy(false);
  }
  guard_.Stop(cell, /*drain=*/false);
}

ExitReason::Kind ActorLifecycle::ExitKind(const Cell& cell) const {
  using Kind = ExitReason::Kind;
  const Kind known = cell.exit_of(cell.self.generation());
  if (known != Kind::kUnknown) return known;
  return cell.state() == Cell::State::kStopping   ? Kind::kStopped
         : cell.state() == Cell::State::kDraining ? Kind::kDrained
                                                  : bus_.EndOfLoop();
}

void ActorLifecycle::WhenEnded(ActorId id, uint64_t watch,
                               EndWatchers::Told told) {
  // The id of an actor that has ended is of an earlier generation.
  const CellTable& cells = router_.inbox().cells;
  if (cells.FindLive(id) == nullptr &&
      cells.Find(id.slot())->credits.generation() != id.generation()) {
    return told({.reason = bus_.ExitOf(id), .last = {}});
  }
  watchers_.Add(id, watch, std::move(told));
}

void ActorLifecycle::EndAwaited() {
  for (const ActorId id : watchers_.Watched()) {
    bus_.GiveUp(id);
    watchers_.Tell(id, {.reason = bus_.ExitOf(id), .last = {}});
  }
}

}  // namespace trolley::internal
