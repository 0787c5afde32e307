// SPDX-License-Identifier: Apache-2.0
//
// ActorLifecycle: the life of the actors of one loop. The states are those of
// bus/mailbox/actor_state.h:
//
//   kFree -> kReserved   messages have come before the actor
//         -> kStarting   Adopt()
//         -> kRunning    Start() has called OnStart
//         -> kDraining, kStopping   ActorGuard::Stop(), or an exception
//         -> kFree       End()
//
// Ownership: part of a loop; owns the actors.
// Threads:   loop thread only.
// Bounds:    LoopOptions::max_actors.
// Ends:      the loop ends the actors that are left.

#ifndef TROLLEY_BUS_LOOP_ACTOR_LIFECYCLE_H_
#define TROLLEY_BUS_LOOP_ACTOR_LIFECYCLE_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "trolley/bus/crossing/bus_state.h"
#include "trolley/bus/loop/actor_guard.h"
#include "trolley/bus/loop/actor_requests.h"
#include "trolley/bus/loop/coroutine_runner.h"
#include "trolley/bus/loop/message_router.h"
#include "trolley/bus/loop/timer_queue.h"
#include "trolley/bus/registry/end_watchers.h"

namespace trolley::internal {

class ActorLifecycle {
 public:
  ActorLifecycle(BusState& bus, MessageRouter& router, ActorGuard& guard,
                 CoroutineRunner& coroutines, TimerQueue& timers)
      : bus_(bus),
        router_(router),
        guard_(guard),
        coroutines_(coroutines),
        timers_(timers) {}

  // Takes an actor into `cell`, which was reserved on this loop. `early`: what
  // its constructor asked for; null: nothing.
  void Adopt(Cell& cell, std::unique_ptr<ActorBase>&& actor,
             const ActorClass& actor_class, const SpawnOptions& options,
             uint64_t start_sequence, std::unique_ptr<EarlyRequests>&& early);
  // The same, for an actor that comes from another thread.
  void Adopt(Cell& cell, SpawnRequest& request) {
    request.reservation.Release();
    Adopt(cell, std::move(request.actor), *request.actor_class, request.options,
          request.start_sequence, std::move(request.early));
    if (request.seat != nullptr) MakeSeat(cell, std::move(request.seat));
  }
  // Ends `id`, which has a cell and will not come to it, because of `why`.
  void Abandon(Cell& cell, ActorId id, ExitReason::Kind why);
  // Calls OnStart, and then begins the tasks of the constructor and
  // OnStartTask. If the bus drains already, calls OnDrain after that.
  void Start(Cell& cell);
  // OnStart has returned, and OnStartTask has finished. Tells the owner of a
  // seat.
  void HasStarted(Cell& cell);
  // Calls OnDrain of an actor that has started, once.
  void Drain(Cell& cell);
  // Ends the actor, in this order: OnStop(), its destructor, its name, its
  // messages, its watchers. If it is `queued` in the run queue, the cell stays
  // in use until it leaves the queue: a removal would have to search the queue.
  void End(Cell& cell, bool queued);
  // True: End() the actor after its slice.
  bool IsOver(const Cell& cell) const;

  // --- For a seat (bus/loop/seat_record.h) ---
  // Makes an empty seat of an actor that was just adopted, an EmptySeat.
  void MakeSeat(Cell& cell, std::unique_ptr<SeatRecord> seat);
  // Makes the object of `round`, at once or when the one that sits there has
  // left.
  void Fill(Cell& cell, uint64_t round);
  // Ends the object, and keeps the seat. Its owner is told.
  void Vacate(Cell& cell);
  // Dead-letters what waits in the mailbox.
  void DropMessages(Cell& cell);
  // It is a seat no longer, and ends as any actor.
  void CloseSeat(Cell& cell, bool owner_ended);

  // Calls `told` when the actor has ended; at once if it has ended already. The
  // actor may be on its way to this loop. `watch` names the callback for
  // ForgetWhenEnded.
  void WhenEnded(ActorId id, uint64_t watch, EndWatchers::Told told);
  void ForgetWhenEnded(ActorId id, uint64_t watch) {
    watchers_.Remove(id, watch);
  }
  // The loop has ended, and no actor comes to it any more: ends those that are
  // watched and have not come.
  void EndAwaited();

 private:
  void AdoptEarly(Cell& cell, std::unique_ptr<EarlyRequests> early);
  void RunEarlyTasks(Cell& cell);
  ExitReason::Kind ExitKind(const Cell& cell) const;
  void EndObject(Cell& cell);
  void SeatObject(Cell& cell, std::unique_ptr<ActorBase> object);
  void LetWait(Cell& cell);
  void ForgetSeat(Cell& cell);
  void MakeObject(Cell& cell, SeatRecord& seat);
  ExitReason TakeReason(Cell& cell);

  BusState& bus_;
  MessageRouter& router_;
  ActorGuard& guard_;
  CoroutineRunner& coroutines_;
  TimerQueue& timers_;
  EndWatchers watchers_;
  // The tasks of actors that have not started, from their constructors.
  absl::flat_hash_map<const Cell*, std::unique_ptr<EarlyRequests>> early_;
  absl::flat_hash_map<const Cell*, std::unique_ptr<SeatRecord>> seats_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_ACTOR_LIFECYCLE_H_
