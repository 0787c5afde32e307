// SPDX-License-Identifier: Apache-2.0
//
// CoroutineRunner: runs the coroutine handlers of a loop, from their start to
// their end. An awaiter keeps the SuspendedHandler and the coroutine_handle.
// When it has what it waits for, it calls Resume():
//
//   runner.Resume(*handler_, std::exchange(at_, {}));
//
// Ownership: part of a loop. The handlers are linked to their actor's cell.
// Threads:   loop thread only.
// Bounds:    Cell::most_suspended_asks() asks for each interleaved actor; one
//            message for every other.
// Ends:      each handler finishes, or is cancelled: by its deadline, because
//            its asker has gone, or with its actor.

#ifndef TROLLEY_BUS_LOOP_COROUTINE_RUNNER_H_
#define TROLLEY_BUS_LOOP_COROUTINE_RUNNER_H_

#include <cstdint>

#include "trolley/bus/loop/actor_guard.h"
#include "trolley/bus/loop/expiry.h"
#include "trolley/bus/loop/message_router.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {

class CoroutineRunner final : public Expirer {
 public:
  CoroutineRunner(MessageRouter& router, ActorGuard& guard, Expiry& expiry)
      : router_(router), guard_(guard), expiry_(expiry) {}

  // Runs the handler of the current message until it waits or ends.
  void Begin(Cell& cell, SuspendedHandler& handler);

  // Adds a handler that waits to the list of its actor.
  void Suspend(Cell& cell, SuspendedHandler& handler);

  // Runs `at`, a coroutine of `handler`, and finishes the handler if it has
  // ended. Called between handlers, or in a handler of the same actor that
  // starts a background task.
  void Resume(SuspendedHandler& handler, std::coroutine_handle<> at);

  // Begins a background task of the actor.
  void RunTask(Cell& cell, SuspendedHandler& task) {
    Suspend(cell, task);
    Resume(task, task.frame);
  }

  // Destroys every suspended handler of an actor that ends.
  void CancelAll(Cell& cell) {
    if (cell.suspended != nullptr) [[unlikely]]
      CancelThose(cell);
  }

  // Messages whose handlers wait, of all actors of the loop.
  uint32_t suspended_messages() const { return suspended_messages_; }

  // As Expirer. Called between handlers.
  void CancelHandler(Cell& cell, SuspendedHandler& handler) override;
  void Expire(Cell& cell, Envelope* e) override { router_.Expire(cell, e); }

 private:
  void CancelThose(Cell& cell);
  void Keep(Cell& cell, SuspendedHandler& handler);
  void Unlink(SuspendedHandler& handler);
  void Finish(SuspendedHandler& handler);
  void Destroy(Cell& cell, SuspendedHandler& handler);
  void GoOn(Cell& cell);

  MessageRouter& router_;
  ActorGuard& guard_;
  Expiry& expiry_;
  uint32_t suspended_messages_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_COROUTINE_RUNNER_H_
