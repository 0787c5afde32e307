// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/coroutine_runner.h"

#include <cassert>
#include <utility>

namespace trolley::internal {
namespace {

// True: the actor takes no message while this handler waits.
bool KeepsBusy(const Cell& cell, const SuspendedHandler& handler) {
  return handler.holds_mailbox ||
         (handler.envelope != nullptr && !cell.is_interleaved());
}

bool AnyKeepsBusy(const Cell& cell) {
  const SuspendedHandler* h = cell.suspended;
  while (h != nullptr && !KeepsBusy(cell, *h)) h = h->next;
  return h != nullptr;
}

}  // namespace

void CoroutineRunner::Begin(Cell& cell, SuspendedHandler& handler) {
  SuspendedHandler*& in_hand = router_.current().handler;
  in_hand = &handler;
  handler.Run(handler.frame);
  in_hand = nullptr;
  if (!handler.finished()) return Suspend(cell, handler);
  Envelope* e = handler.envelope;
  Outcome outcome = Outcome::kFailed;
  try {
    outcome = handler.finish(&handler, e);
  } catch (...) {
    guard_.HandlerThrew(cell, e);
  }
  router_.Complete(cell, e, outcome);
}

void CoroutineRunner::Suspend(Cell& cell, SuspendedHandler& handler) {
  assert(handler.cell == nullptr && "suspended twice");
  assert((handler.envelope == nullptr || router_.current().cell == &cell) &&
         "the message in hand is of another actor");
  handler.cell = &cell;
  handler.next = cell.suspended;
  handler.previous = nullptr;
  if (handler.next != nullptr) handler.next->previous = &handler;
  cell.suspended = &handler;
  if (handler.envelope != nullptr) ++suspended_messages_;
  // mutant: P1_AHandlerThatWaitsLetsTheNextMessageIn
  if (KeepsBusy(cell, handler)) cell.actor_state.set_busy(true);
  if (handler.envelope != nullptr) Keep(cell, handler);
}

// A message with a suspended handler holds its credit, and so do the messages
// that wait behind it.
void CoroutineRunner::Keep(Cell& cell, SuspendedHandler& handler) {
  Envelope* e = handler.envelope;
  if (!e->deadline.is_infinite()) {
    expiry_.Watch(cell, e->deadline + cell.actor_class->overtime);
  }
  if (cell.actor_state.busy()) {
    router_.WatchMailbox(cell);
  } else if (e->is_ask()) {
    handler.counted = true;
    if (++cell.suspended_asks >= cell.most_suspended_asks()) {
      cell.actor_state.set_takes_no_asks(true);
    }
  }
}

void CoroutineRunner::Unlink(SuspendedHandler& handler) {
  Cell& cell = *handler.cell;
  (handler.previous != nullptr ? handler.previous->next : cell.suspended) =
      handler.next;
  if (handler.next != nullptr) handler.next->previous = handler.previous;
  if (handler.envelope != nullptr) {
    assert(suspended_messages_ > 0);
    --suspended_messages_;
  }
  if (KeepsBusy(cell, handler)) {
    cell.actor_state.set_busy(cell.is_interleaved() && AnyKeepsBusy(cell));
  }
  if (handler.counted) {
    assert(cell.suspended_asks > 0);
    --cell.suspended_asks;
    cell.actor_state.set_takes_no_asks(false);
  }
}

void CoroutineRunner::Resume(SuspendedHandler& handler,
                             std::coroutine_handle<> at) {
  assert(handler.cell != nullptr && "resumed before it was suspended");
  Cell& cell = *handler.cell;
  const Activation outer =
      std::exchange(router_.current(), {.cell = &cell,
                                        .self = cell.self,
                                        .envelope = handler.envelope,
                                        .handler = &handler});
  LoopInbox& inbox = router_.inbox();
  const ActorId running = inbox.running();
  const MessageOps* message = inbox.running_message();
  inbox.SetRunning(
      cell.self, handler.envelope != nullptr ? handler.envelope->ops : nullptr);
  handler.Run(at);
  router_.current() = outer;
  inbox.SetRunning(running, message);
  if (handler.finished()) Finish(handler);
}

void CoroutineRunner::Finish(SuspendedHandler& handler) {
  Cell& cell = *handler.cell;
  Envelope* e = handler.envelope;
  const MessageRouter::Seen seen = router_.See(e);
  Unlink(handler);
  Outcome outcome = Outcome::kFailed;
  const Activation outer = std::exchange(
      router_.current(), {.cell = &cell, .self = cell.self, .envelope = e});
  try {
    outcome = handler.finish(&handler, e);
  } catch (...) {
    guard_.HandlerThrew(cell, e);
  }
  router_.current() = outer;
  if (e != nullptr) router_.Complete(cell, e, outcome);
  seen.Became(outcome == Outcome::kHandled ? RunObserver::What::kHandled
                                           : RunObserver::What::kFailed);
  GoOn(cell);
}

void CoroutineRunner::CancelHandler(Cell& cell, SuspendedHandler& handler) {
  Envelope* e = handler.envelope;
  assert(e != nullptr && "a background task has no deadline and no asker");
  Destroy(cell, handler);
  router_.Expire(cell, e);
  GoOn(cell);
}

// Destroys the frames of a handler, and with them `handler`.
void CoroutineRunner::Destroy(Cell& cell, SuspendedHandler& handler) {
  Unlink(handler);
  guard_.Run(cell, "what a cancelled handler had", [&] { handler.Cancel(); });
}

void CoroutineRunner::CancelThose(Cell& cell) {
  while (SuspendedHandler* handler = cell.suspended) {
    Envelope* e = handler->envelope;
    Destroy(cell, *handler);
    if (e == nullptr) continue;
    const bool holds_credit = e->has(Envelope::kHoldsCredit);
    router_.DeadLetter(e, "it had begun to handle this");
    // mutant: P6_AHandlerThatARestartEndsKeepsItsCredit
    if (cell.seat && holds_credit) router_.credit_waiters().GiveBack(cell);
  }
}

// A handler of `cell` has finished or was cancelled.
void CoroutineRunner::GoOn(Cell& cell) {
  const bool ending = cell.state() == Cell::State::kStopping ||
                      cell.state() == Cell::State::kDraining;
  if (ending || cell.has_work()) router_.run_queue().Push(cell);
}

}  // namespace trolley::internal
