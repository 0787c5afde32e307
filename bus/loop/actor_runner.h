// SPDX-License-Identifier: Apache-2.0
//
// ActorRunner: gives each runnable actor its slice. A slice is at most
// LoopOptions::messages_per_slice messages of one actor; all slices of a turn
// together are at most messages_per_turn (P7). Within a slice the lanes go in
// this order: control, replies and timers, data.
//
// An actor with at least messages_per_turn messages in its mailbox gets half a
// slice. Before that slice the loop hands over the messages that it has sent so
// far. So other actors do not wait long for it.
//
// Ownership: part of a loop.
// Threads:   loop thread only.
// Bounds:    LoopOptions.

#ifndef TROLLEY_BUS_LOOP_ACTOR_RUNNER_H_
#define TROLLEY_BUS_LOOP_ACTOR_RUNNER_H_

#include <cstdint>

#include "trolley/bus/loop/actor_guard.h"
#include "trolley/bus/loop/actor_lifecycle.h"
#include "trolley/bus/loop/coroutine_runner.h"
#include "trolley/bus/loop/ending_actors.h"
#include "trolley/bus/loop/expiry.h"
#include "trolley/bus/loop/loop_clock.h"
#include "trolley/bus/loop/message_router.h"
#include "trolley/bus/options.h"

namespace trolley::internal {

class ActorRunner {
 public:
  ActorRunner(const LoopOptions& options, LoopClock& clock,
              MessageRouter& router, ActorGuard& guard,
              CoroutineRunner& coroutines, ActorLifecycle& lifecycle,
              Expiry& expiry)
      : options_(options),
        clock_(clock),
        inbox_(router.inbox()),
        router_(router),
        guard_(guard),
        coroutines_(coroutines),
        lifecycle_(lifecycle),
        expiry_(expiry) {}

  // The slices of one turn.
  void RunSlices();

  // One step: ends the next actors of `endings`, or handles messages that are
  // queued for them; at most messages_per_turn of both. False: all have ended.
  // Call it between handlers.
  bool EndSome(EndingActors& endings);

 private:
  // `router` is router_; it stays in a register.
  uint32_t RunSlice(MessageRouter& router, Cell& cell, uint32_t most);
  uint32_t RunLongSlice(Cell& cell, uint32_t most);
  void HaveNothingToDo(MessageRouter& router, Cell& cell);
  Envelope* NextMessage(Cell& cell);
  void HandleMessage(MessageRouter& router, Cell& cell, Envelope* e);
  void HandleObserved(Cell& cell, Envelope* e);
  void HandleControl(Cell& cell, Envelope* e);
  void HandleSeatRequest(Cell& cell, Envelope* e);
  void CompleteFailed(Cell& cell, Envelope* e);
  void HandleBeforeEnd(Cell& cell, uint64_t& most, uint32_t& left);
  bool OthersWait();

  const LoopOptions& options_;
  LoopClock& clock_;
  LoopInbox& inbox_;
  MessageRouter& router_;
  ActorGuard& guard_;
  CoroutineRunner& coroutines_;
  ActorLifecycle& lifecycle_;
  Expiry& expiry_;
  uint64_t looked_at_ = 0;  // LoopClock::Ticks() in OthersWait()
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_ACTOR_RUNNER_H_
