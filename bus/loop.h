// SPDX-License-Identifier: Apache-2.0
//
// Loop: one thread around one poller, and the actors that live there. A turn:
//
//   take what other loops handed over; due timers; replies; then mailboxes,
//   each actor at most a slice, all together at most a turn's worth; hand over
//   what was sent; every few turns look at the descriptors; if nothing is left
//   to do, arm the hand-off and sleep in the poller until an event, a timer or
//   a wake.
//
// Messages that were sent during a turn to an actor of the same loop may be
// handled in that turn. A due timer waits for the turn in hand, a ready
// descriptor for LoopOptions::turns_between_polls turns at most (P7).
//
// Ownership: the Bus owns its loops; a loop owns its poller and its actors.
// Threads:   loop thread only, but for Current() and construction.
// Bounds:    LoopOptions.
// Ends:      End() ends its actors and refuses what comes later; Run() returns.

#ifndef TROLLEY_BUS_LOOP_H_
#define TROLLEY_BUS_LOOP_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "trolley/bus/bus_state.h"
#include "trolley/bus/chores.h"
#include "trolley/bus/descriptors.h"
#include "trolley/bus/early_requests.h"
#include "trolley/bus/end_watchers.h"
#include "trolley/bus/endings.h"
#include "trolley/bus/envelopes.h"
#include "trolley/bus/expiry.h"
#include "trolley/bus/inspect.h"
#include "trolley/bus/leases.h"
#include "trolley/bus/local_places.h"
#include "trolley/bus/loop_clock.h"
#include "trolley/bus/loop_turn.h"
#include "trolley/bus/outboxes.h"
#include "trolley/bus/reply_slots.h"
#include "trolley/bus/room.h"
#include "trolley/bus/run_queue.h"
#include "trolley/bus/timer_queue.h"

namespace trolley {

class Loop {
 public:
  // What a loop can be asked to do from outside, on its own thread.
  using Command = absl::AnyInvocable<void(Loop&)>;

  Loop(BusState::Ptr bus, uint32_t index, std::unique_ptr<Poller> poller);
  ~Loop();

  // The loop that the calling thread is running; null on other threads.
  static Loop* Current() { return current_; }

  // Runs turns until End().
  void Run();
  // One turn that does not sleep. False if there was nothing to do.
  bool RunOnce();
  // What a loop does before it sleeps: gives back what others could use, then
  // calls the WhenIdle callbacks. True: have another turn before you sleep.
  bool Settle();
  // Ends every actor left and closes the hand-off. Idempotent.
  void End();
  // Any thread. Queues a command, or drops it: false, the loop has ended.
  static bool Post(LoopPort& port, Command command);
  // Calls `callback` when nothing is left to do, just before the loop sleeps.
  void WhenIdle(Command callback) {
    idle_callbacks_.push_back(std::move(callback));
  }

  BusState& bus() { return *bus_; }
  const BusState::Ptr& bus_pointer() const { return bus_; }
  uint32_t index() const { return port_.index; }
  LoopPort& port() { return port_; }
  const LoopOptions& options() const { return options_; }
  const Capabilities& capabilities() const { return poller_->capabilities(); }
  Instant Now() const { return clock_.Now(); }
  LoopClock& clock() { return clock_; }
  TimerQueue& timers() { return timers_; }
  Chores& chores() { return chores_; }
  Descriptors& descriptors() { return descriptors_; }
  ReplySlots& reply_slots() { return reply_slots_; }
  bool ended() const { return ended_; }
  bool has_work() const { return !run_queue_.empty() || !replies_.empty(); }

  using Turn = LoopTurn;
  const Turn& turn() const { return turn_; }
  // Makes `turn` the one in hand, and returns the one before it.
  Turn SwapTurn(const Turn& turn) { return std::exchange(turn_, turn); }
  // A coroutine handler starts: what it awaits belongs to `handler`.
  void set_handler(SuspendedHandler* handler) { turn_.handler = handler; }

  // --- Sending, in three steps; see actors/ref.h for the whole ---
  // The short way, for what stays here: the cell of the target, with the
  // attempt counted and a place taken, and an envelope of `bytes`, if the loop
  // has both at hand; else nulls. `head` has no marks.
  ABSL_ATTRIBUTE_ALWAYS_INLINE std::pair<Cell*, Envelope*> AdmitHere(
      size_t bytes, const Envelope::Head& head) {
    LoopPort& port = port_;
    if (head.target.loop() != port.index) return {};
    Cell& cell = *port.cells.Find(head.target.slot());
    const uint32_t size_class = EnvelopePool::ClassOf(bytes);
    Envelope* ready = port.pool.Ready(size_class);
    if (ready == nullptr || !local_places_.TakeOwn(cell, head.target)) {
      return {};
    }
    port.ledger.CountSend(true);
    return {&cell, new (port.pool.TakeReady(ready, size_class))
                       Envelope(envelopes_.own_tell(size_class), head)};
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Queue(Cell& cell, Envelope* envelope) {
    cell.data.Push(envelope);
    ++cell.data_queued;
    if (cell.standing.data_makes_runnable()) {
      run_queue_.Add(cell);
    } else if (cell.standing.busy()) [[unlikely]] {
      expiry_.Watch(cell, envelope->deadline);
    }
  }
  // The long way; anything but kAccepted ends the attempt, which is counted.
  ABSL_ATTRIBUTE_ALWAYS_INLINE Delivery Admit(ActorId target) {
    const Delivery delivery = TakePlace(target);
    port_.ledger.CountSend(delivery == Delivery::kAccepted);
    return delivery;
  }
  // The same in two halves, for a sender that waits in between.
  ABSL_ATTRIBUTE_ALWAYS_INLINE Delivery TakePlace(ActorId target) {
    if (target.loop() != port_.index) return leases_.Take(target);
    return local_places_.Take(*port_.cells.Find(target.slot()), target);
  }
  Envelope* NewEnvelope(size_t bytes, const Envelope::Head& head = {}) {
    return envelopes_.New(bytes, head);
  }
  // Queues an envelope that has its place, or needs none.
  void Send(Envelope* envelope) {
    const uint32_t loop = envelope->target.loop();
    if (loop == port_.index) {
      DeliverLocal(envelope);
    } else if (outboxes_.Add(loop, envelope)) {
      FlushOutboxes();
    }
  }
  void SendReply(Envelope* envelope);  // the reply that it holds
  // Tells `asked` that an asker of this loop no longer waits.
  void CancelAsk(ActorId asked, const AskKey& key);
  // Gives back an envelope whose payload is gone, to whoever made it.
  void Free(Envelope* envelope) { envelopes_.Free(envelope); }

  // --- Actors ---
  // Starts `actor` in `cell`, reserved on this loop.
  void Adopt(Cell& cell, std::unique_ptr<ActorBase> actor,
             const ActorClass* actor_class, const SpawnOptions& options,
             uint64_t start_sequence, std::unique_ptr<EarlyRequests> early);
  // Ends an actor when its slice is over; `drain`: when its mailbox is empty.
  void StopActor(Cell& cell, bool drain);
  void DrainActor(Cell& cell);  // calls OnDrain
  // A step, of messages_per_turn ends or messages; false: it was the last.
  bool EndActors(Endings& endings);  // between handlers only
  // The cell that `id` names; null if its actor has ended.
  Cell* Find(ActorId id) { return port_.cells.FindLive(id); }

  // --- Coroutine handlers ---
  // Links a handler that has suspended to its actor.
  void Suspend(Cell& cell, SuspendedHandler& handler);
  // Runs `at`, a frame of `handler`, on the actor's behalf, and finishes the
  // handler if that was its end. Called between handlers, or by a handler of
  // the same actor that starts a background task.
  void Resume(SuspendedHandler& handler, std::coroutine_handle<> at);
  // Begins a background task of the actor.
  void RunTask(Cell& cell, SuspendedHandler& task);
  // Destroys the frames of a handler, with what they wait for, and drops its
  // message as expired. Called between handlers.
  void CancelHandler(Cell& cell, SuspendedHandler& handler);
  // Drops a message of `cell` that no one can use any more.
  void DropExpired(Cell& cell, Envelope* envelope);

  // --- Looking, at the same cost however many actors there are ---
  LoopInfo Inspect() const;
  ActorInfo InfoOf(const Cell& cell) const;           // an actor lives there
  std::optional<ActorInfo> InspectActor(ActorId id);  // nullopt: it has ended
  // `done` is the actor's last act, or called at once. `by` may take it back.
  void WhenEnded(ActorId id, Command done, ActorId by = {});
  void ForgetWhenEnded(ActorId id, ActorId by) { watchers_.Remove(id, by); }

 private:
  friend class ScheduledMessage;
  void DeliverLocal(Envelope* envelope);
  void DeliverRarely(Cell& cell, Envelope* envelope);
  bool TakeHandedOver();
  bool DropChain(Envelope* first);
  void HandleReplies();
  void RunActors();
  bool OthersWait();
  uint32_t RunSlice(Cell& cell, uint32_t most);
  uint32_t RunLongSlice(Cell& cell, uint32_t most);
  void HaveNothingToDo(Cell& cell);
  Envelope* NextMessage(Cell& cell);
  void StartActor(Cell& cell);
  void AdoptEarly(Cell& cell, std::unique_ptr<EarlyRequests> early);
  bool HasEnded(const Cell& cell) const;
  void HandleControl(Cell& cell, Envelope* envelope);
  void HandleMessage(Cell& cell, Envelope* envelope);
  void RefuseAsk(Cell& cell, Envelope* envelope);
  void Complete(Cell& cell, Envelope* envelope, Outcome outcome);
  void CompleteFailed(Cell& cell, Envelope* envelope);
  void FailedByThrowing(Cell& cell, Envelope* envelope);
  void CompleteSuspended(SuspendedHandler& handler);
  void Keep(Cell& cell, SuspendedHandler& handler);
  void Unlink(SuspendedHandler& handler);
  void GoOn(Cell& cell);
  template <typename What>  // what(), on the actor's behalf; false: it threw
  bool Guarded(Cell& cell, absl::string_view doing, What what);
  void CancelSuspended(Cell& cell);
  void EndActor(Cell& cell, bool queued);
  void HandleLastWords(Cell& cell, uint32_t& most, uint32_t& left);
  void Fail(Cell& cell, absl::string_view doing);
  static ExitReason::Kind ExitKind(const Cell& cell);
  static uint32_t HeldBy(const Cell& cell);
  void DropUndelivered(Envelope* envelope, absl::string_view note = {});
  void DropReply(Envelope* reply);
  size_t Poll(Instant deadline);
  bool SpinForWork();
  void Sleep();
  void FlushOutboxes();
  std::string NameOf(const Cell& cell) const;

  static thread_local constinit Loop* current_;

  const BusState::Ptr bus_;
  LoopPort& port_;
  const LoopOptions options_;
  LoopClock clock_;
  std::unique_ptr<Poller> poller_;

  Turn turn_;
  RunQueue run_queue_;
  EnvelopeQueue replies_;  // for the asks of this loop's actors
  TimerQueue timers_;
  Descriptors descriptors_;
  ReplySlots reply_slots_;
  Outboxes outboxes_;
  Envelopes envelopes_;
  Leases leases_;
  LocalPlaces local_places_;
  Room room_{*this, local_places_};
  Expiry expiry_{*this};
  std::vector<Command> idle_callbacks_;
  EndWatchers watchers_;
  Chores chores_{*this};
  std::vector<Event> events_;
  uint64_t looked_at_ = 0;  // LoopClock::Ticks() in OthersWait()
  uint32_t turns_since_poll_ = 0, failed_spins_ = 0, suspended_messages_ = 0;
  uint64_t next_scheduled_id_ = 1;
  // Of actors that have not started: tasks of their constructors.
  absl::flat_hash_map<const Cell*, std::unique_ptr<EarlyRequests>> early_;
  bool ended_ = false;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LOOP_H_
