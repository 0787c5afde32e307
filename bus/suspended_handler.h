// SPDX-License-Identifier: Apache-2.0
//
// SuspendedHandler: a coroutine handler that waits, together with the message
// it was given. The message, its sender, deadline and trace live until the
// handler has finished, suspended or not.
//
// A handler is a chain of coroutines, each awaited by the one before. Run()
// resumes them one after the other: none runs within another, so the stack does
// not grow with the length of the chain, nor with the number of co_awaits, at
// any level of optimisation.
//
// Ownership: part of the outermost coroutine's promise; linked into its actor's
//            cell. A coroutine belongs to the one that awaits it.
// Threads:   loop thread only.
// Bounds:    one for each actor, unless it is interleaved; then as many as its
//            mailbox has places, asks half as many.
// Ends:      finished by the coroutine, or cancelled when its actor ends: its
//            frames are then destroyed on the actor's own loop.

#ifndef TROLLEY_BUS_SUSPENDED_HANDLER_H_
#define TROLLEY_BUS_SUSPENDED_HANDLER_H_

#include "trolley/bus/envelope.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

struct Cell;

// One coroutine of a handler.
struct HandlerFrame {
  std::coroutine_handle<> handle;
  HandlerFrame* awaited_by = nullptr;        // null: it is the outermost
  std::coroutine_handle<>* owner = nullptr;  // there it is destroyed from
};

class SuspendedHandler {
 public:
  // True once the coroutine has run to its end or thrown.
  bool finished() const { return frame.done(); }

  // Resumes `at`, the innermost coroutine, and then whichever that leads to,
  // until one waits or the outermost has ended.
  void Run(std::coroutine_handle<> at) {
    for (;;) {
      const HandlerFrame* const ran = innermost;
      at.resume();
      if (innermost == ran || innermost == nullptr) return;
      at = innermost->handle;
    }
  }

  // Destroys the coroutines, and with them this object. Innermost first, so
  // that here, too, the stack does not grow with the chain.
  void Cancel() {
    HandlerFrame* at = innermost;
    while (at != nullptr) {
      HandlerFrame* const next = at->awaited_by;
      if (at->owner != nullptr) *at->owner = nullptr;
      at->handle.destroy();
      at = next;
    }
  }

  // Takes the finished coroutine's result, destroys its frame (and with it this
  // object) and the payload, and leaves the reply, if one is due, in
  // `envelope`. Rethrows what the coroutine threw.
  Outcome (*finish)(SuspendedHandler* self, Envelope* envelope) = nullptr;

  std::coroutine_handle<> frame;      // the outermost
  HandlerFrame* innermost = nullptr;  // runs or waits; null: all have ended
  // Null for a background task, which no message began: while it is suspended
  // its actor goes on taking messages.
  Envelope* envelope = nullptr;
  Cell* cell = nullptr;         // whose handler; null until suspended
  int waiting_for_replies = 0;  // asks it has out
  // Its actor takes no message before it has finished, interleaved or not.
  bool holds_mailbox = false;
  bool counted = false;  // in Cell::suspended_asks
  SuspendedHandler* previous = nullptr;
  SuspendedHandler* next = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_SUSPENDED_HANDLER_H_
