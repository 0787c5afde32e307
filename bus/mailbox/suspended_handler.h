// SPDX-License-Identifier: Apache-2.0
//
// SuspendedHandler: a coroutine handler and its message. The message lives
// until the handler has finished.
//
// A handler is a chain of coroutines; each awaits the next one. Run() resumes
// them one after the other, not one within the other. So neither a long chain
// nor many co_awaits use more stack, at any level of optimization.
//
// Ownership: part of the outermost coroutine's promise; in a list of its cell.
//            A coroutine is owned by the one that awaits it.
// Threads:   loop thread only.
// Bounds:    one for each actor. For an interleaved actor one for each credit
//            of its mailbox, and at most half of that with asks.
// Ends:      the coroutine finishes; or it is cancelled, by the end of its
//            actor, a deadline, or an asker that no longer waits. Then the
//            actor's loop destroys its frames. A CancelListener puts off the
//            latter two.

#ifndef TROLLEY_BUS_MAILBOX_SUSPENDED_HANDLER_H_
#define TROLLEY_BUS_MAILBOX_SUSPENDED_HANDLER_H_

#include "trolley/bus/message/envelope.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {

struct Cell;

// What a handler has that goes on for some time after its message has become
// useless (actors/cancel_token.h).
class CancelListener {
 public:
  // Called once, between handlers: the deadline of the message has passed, or
  // its asker no longer waits.
  virtual void OnCancel(Instant now) = 0;

  bool told() const { return told_; }
  // After OnCancel(): when the handler is cancelled.
  Instant cancel_at() const { return cancel_at_; }

 protected:
  ~CancelListener() = default;
  void SetTold(Instant cancel_at) {
    told_ = true;
    cancel_at_ = cancel_at;
  }

 private:
  bool told_ = false;
  Instant cancel_at_ = Instant::Infinite();
};

// One coroutine of a handler.
struct HandlerFrame {
  std::coroutine_handle<> handle;
  HandlerFrame* awaited_by = nullptr;        // null: it is the outermost
  std::coroutine_handle<>* owner = nullptr;  // the handle that destroys it
};

class SuspendedHandler : public HandlerCoroutine {
 public:
  // True: the coroutine has returned or thrown.
  bool finished() const { return frame.done(); }

  // Resumes `at`, the innermost coroutine. Goes on with those that it begins or
  // returns to, until one waits or the outermost has ended.
  void Run(std::coroutine_handle<> at) {
    for (;;) {
      const HandlerFrame* const ran = innermost;
      at.resume();
      if (innermost == ran || innermost == nullptr) return;
      at = innermost->handle;
    }
  }

  // Destroys the coroutines, the innermost first, and with them this object. A
  // long chain uses no more stack here either.
  void Cancel() {
    HandlerFrame* at = innermost;
    while (at != nullptr) {
      HandlerFrame* const next = at->awaited_by;
      if (at->owner != nullptr) *at->owner = nullptr;
      at->handle.destroy();
      at = next;
    }
  }

  // For a finished handler: takes its result, destroys its frame (and with it
  // this object) and the payload. For an ask it leaves the reply in `envelope`.
  // Rethrows the exception of the coroutine.
  Outcome (*finish)(SuspendedHandler* self, Envelope* envelope) = nullptr;

  std::coroutine_handle<> frame;      // the outermost
  HandlerFrame* innermost = nullptr;  // runs or waits; null: all have ended
  // Null for a background task: the actor takes messages while the task waits.
  Envelope* envelope = nullptr;
  Cell* cell = nullptr;                // of its actor; null until suspended
  CancelListener* listener = nullptr;  // null: it is cancelled at once
  // Actor::HoldMailbox(): the actor takes no message before it has finished.
  bool holds_mailbox = false;
  bool counted = false;  // in Cell::suspended_asks
  SuspendedHandler* previous = nullptr;
  SuspendedHandler* next = nullptr;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_SUSPENDED_HANDLER_H_
