// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/actor_runner.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/base/attributes.h"
#include "trolley/bus/loop/actor_requests.h"
#include "trolley/bus/mailbox/credit_requests.h"

namespace trolley::internal {

void ActorRunner::RunSlices() {
  // No handler can change it, so it stays in a register from here on.
  MessageRouter& router = router_;
  router.run_queue().BeginTurn();
  const uint32_t slice =
      std::min(options_.messages_per_slice, options_.messages_per_turn);
  const uint32_t flood = options_.messages_per_turn;
  for (uint32_t left = options_.messages_per_turn; left > 0;) {
    Cell* cell = router.run_queue().Pop();
    if (cell == nullptr) break;
    if (cell->data_queued < flood) [[likely]] {
      // mutant: P7_ASliceIsAWholeTurn
      left -= RunSlice(router, *cell, std::min(left, slice));
    } else {
      // Messages that were sent before do not wait for this slice, and messages
      // of other loops do not wait long.
      router_.current() = {};
      // mutant: P7_WhatWasSentWaitsForAFlood
      router_.Flush();
      left -= RunLongSlice(*cell, std::min(left, slice - slice / 2));
      // mutant: P7_AFloodDoesNotLookAtOtherLoops
      if (OthersWait()) break;
    }
  }
  router_.current() = {};
  inbox_.SetRunning(ActorId());
}

// True: other loops have handed messages over, so the turn should end. A look
// costs a cache miss, so there is at most one in kSoon ticks.
bool ActorRunner::OthersWait() {
  constexpr uint64_t kSoon = 1 << 15;
  const uint64_t now = clock_.Ticks();
  if (now - looked_at_ < kSoon) return false;
  looked_at_ = now;
  return inbox_.handoff.HasWork();
}

// Not inline: it is seldom used.
uint32_t ActorRunner::RunLongSlice(Cell& cell, uint32_t most) {
  return RunSlice(router_, cell, most);
}

// Returns how many messages it took, at most `most`. A start counts as one, and
// so does an end without a message. It does not clear the Activation: the next
// slice sets it.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint32_t ActorRunner::RunSlice(
    MessageRouter& router, Cell& cell, uint32_t most) {
  assert(most > 0 && "a slice of nothing would have no end");
  const ActorId self = cell.self;
  assert(cell.actor_state.runnable());
  router.inbox().SetRunningActor(self);
  Activation& current = router.current();
  current.cell = &cell;
  current.self = self;
  uint32_t left = most;
  if (cell.state() == Cell::State::kStarting) [[unlikely]] {
    lifecycle_.Start(cell);
    --left;
  }
  for (; left > 0; --left) {
    Envelope* e;
    if (cell.actor_state.takes_only_data()) [[likely]] {
      e = cell.data.Pop();
      if (e == nullptr) {
        HaveNothingToDo(router, cell);
        return most - left;
      }
      assert(cell.data_queued > 0);
      --cell.data_queued;
    } else {
      e = NextMessage(cell);
      if (e == nullptr) break;
      if (e->lane() == Lane::kControl) {
        HandleControl(cell, e);
        continue;
      }
      if (cell.actor_state.takes_no_asks() && e->is_ask()) {
        router.RefuseAsk(cell, e);
        continue;
      }
      if (router.observer() != nullptr) {
        HandleObserved(cell, e);
        continue;
      }
    }
    HandleMessage(router, cell, e);
  }
  if (lifecycle_.IsOver(cell)) {
    if (left == most) --left;  // an end counts as one, too
    current = {};
    if (!cell.seat) [[likely]] {
      lifecycle_.End(cell, /*queued=*/false);
      return most - left;
    }
    lifecycle_.Vacate(cell);
  }
  if (cell.has_work() || (cell.seat && lifecycle_.IsOver(cell))) {
    // mutant: P7_ASecondSliceGoesBeforeOtherLoops
    router.run_queue().PushAgain(cell);
  } else {
    HaveNothingToDo(router, cell);
  }
  return most - left;
}

inline void ActorRunner::HaveNothingToDo(MessageRouter& router, Cell& cell) {
  RunQueue::Release(cell);
  if (cell.kept_credits == 0) [[unlikely]] {
    // mutant: P6_RoomIsKeptWhenNothingIsLeftToDo
    router.credit_waiters().GiveAll(cell);
  }
}

// The next message that the actor may handle in its state; null: none.
Envelope* ActorRunner::NextMessage(Cell& cell) {
  if (cell.actor_state.trims()) [[unlikely]] {
    router_.DropOldest(cell);
  }
  // mutant: P6_AStopWaitsBehindData
  if (Envelope* control = cell.lanes.control.Pop()) return control;
  if (cell.actor_state.busy() || cell.state() == Cell::State::kStopping) {
    return nullptr;
  }
  // mutant: P6_WhatIsUrgentWaitsBehindData
  if (Envelope* urgent = cell.lanes.urgent.Pop()) return urgent;
  cell.actor_state.set_urgent(false);
  Envelope* data = cell.data.Pop();
  if (data != nullptr) {
    assert(cell.data_queued > 0);
    --cell.data_queued;
  }
  return data;
}

void ActorRunner::HandleControl(Cell& cell, Envelope* e) {
  if (e->ops == &kControlMessage<StopRequest>) {
    guard_.Stop(cell, e->payload<StopRequest>().drain);
  } else if (e->ops == &kControlMessage<CreditRequest>) {
    if (cell.state() != Cell::State::kRunning && !cell.seat) {
      return router_.DeadLetter(e);
    }
    return router_.credit_waiters().Wait(cell, e);
  } else if (e->ops == &kControlMessage<ReturnedCredit>) {
    router_.credit_waiters().GiveBack(cell);
  } else if (e->ops == &kControlMessage<AskCancelled>) {
    // mutant: P6_AnAskerThatHasGoneIsWaitedFor
    expiry_.AskerHasGone(cell, std::move(e->payload<AskCancelled>()));
  } else if (cell.seat) {
    HandleSeatRequest(cell, e);
  }
  e->ops->drop(e);
  router_.Free(e);
}

void ActorRunner::HandleSeatRequest(Cell& cell, Envelope* e) {
  if (e->ops == &kControlMessage<FillRequest>) {
    lifecycle_.Fill(cell, e->payload<FillRequest>().round);
  } else if (e->ops == &kControlMessage<DropMessagesRequest>) {
    lifecycle_.DropMessages(cell);
  } else if (e->ops == &kControlMessage<CloseSeatRequest>) {
    lifecycle_.CloseSeat(cell, e->payload<CloseSeatRequest>().owner_ended);
  }
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline void ActorRunner::HandleMessage(
    MessageRouter& router, Cell& cell, Envelope* e) {
  // mutant: P17_ADeadlineThatHasPassedIsLookedAtNextTime
  if (!e->deadline.is_infinite() && e->deadline <= clock_.Recent())
      [[unlikely]] {
    // mutant: P2_AMessageThatIsLateIsHandled
    return router.Expire(cell, e);
  }
  router.current().envelope = e;
  router.inbox().SetRunningMessage(e->ops);
  // The same as ActorGuard::Run(), written out: this is the hot path.
  HandlerCoroutine* coroutine = nullptr;
  Outcome outcome;
  try {
    outcome = e->ops->deliver(*cell.actor, e, coroutine);
  } catch (...) {
    // mutant: P8_AThrowCountsAsHandled
    outcome = Outcome::kFailed;
    guard_.HandlerThrew(cell, e);
  }
  if (outcome == Outcome::kHandled) [[likely]] {
    router.Complete(cell, e, Outcome::kHandled);
  } else if (outcome == Outcome::kFailed) {
    // mutant: P8_AnErrorReturnedEndsItsActor
    CompleteFailed(cell, e);
  } else {
    coroutines_.Begin(cell, static_cast<SuspendedHandler&>(*coroutine));
  }
}

// The same, and tells the observer of the run.
void ActorRunner::HandleObserved(Cell& cell, Envelope* e) {
  const MessageRouter::Seen seen = router_.See(e);
  const Ledger before = inbox_.ledger.Read();
  HandleMessage(router_, cell, e);
  const Ledger after = inbox_.ledger.Read();
  if (after.expired != before.expired) return;  // has been told
  seen.Became(after.handled != before.handled ? RunObserver::What::kHandled
              : after.failed != before.failed ? RunObserver::What::kFailed
                                              : RunObserver::What::kWaits);
}

// Not inline: most handlers do not fail.
void ActorRunner::CompleteFailed(Cell& cell, Envelope* e) {
  router_.Complete(cell, e, Outcome::kFailed);
}

// Handles messages of an actor that is about to end: up to `most` of them, and
// up to `left` in this step. Subtracts those that it has handled.
void ActorRunner::HandleBeforeEnd(Cell& cell, uint64_t& most, uint32_t& left) {
  router_.current() = {.cell = &cell, .self = cell.self};
  inbox_.SetRunning(cell.self);
  if (cell.state() == Cell::State::kStarting) lifecycle_.Start(cell);
  for (; most > 0 && left > 0; --most, --left) {
    Envelope* e = NextMessage(cell);
    if (e == nullptr) {
      most = 0;
      break;
    }
    if (e->lane() == Lane::kControl) {
      HandleControl(cell, e);
    } else if (router_.observer() != nullptr) {
      HandleObserved(cell, e);
    } else {
      HandleMessage(router_, cell, e);
    }
  }
  router_.current() = {};
  inbox_.SetRunning(ActorId());
}

bool ActorRunner::EndSome(EndingActors& endings) {
  uint32_t left = options_.messages_per_turn;
  while (endings.next < endings.ids.size() && left > 0) {
    Cell* cell = inbox_.cells.FindLive(endings.ids[endings.next]);
    if (cell != nullptr && endings.handle_queued && cell->has_work()) {
      // All that is queued, such as the last messages of the actors that ended
      // before it, and a slice.
      if (!endings.queued.has_value()) {
        // mutant: P10_ASliceWithoutLimitLosesTheLastWords
        endings.queued = uint64_t{cell->data_queued} +
                         options_.messages_per_slice +
                         cell->lanes.urgent.CountCredits();
      }
      HandleBeforeEnd(*cell, *endings.queued, left);
      if (*endings.queued > 0) break;  // it goes on with the next step
    }
    if (cell != nullptr) {
      inbox_.stats.cells_looked_at.Increment();
      lifecycle_.End(*cell, /*queued=*/cell->actor_state.runnable());
    }
    endings.queued.reset();
    ++endings.next;
    // mutant: P10_ManyEndInOneTurn
    if (left > 0) --left;
  }
  // Before the caller learns that they have ended: then actors of other loops
  // end, and these messages are for them.
  router_.Flush();
  return endings.next < endings.ids.size();
}

}  // namespace trolley::internal
