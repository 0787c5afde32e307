// SPDX-License-Identifier: Apache-2.0
//
// Misuse: mistakes in coroutines that a compiler cannot see, such as an await
// where no handler runs. They throw. The exception ends the actor whose handler
// makes the mistake; its text is in the log and in the reply.
//
// Thread-safe. On a thread that runs no actor, the caller gets the exception.

#ifndef TROLLEY_ACTORS_INTERNAL_MISUSE_H_
#define TROLLEY_ACTORS_INTERNAL_MISUSE_H_

#include "absl/strings/string_view.h"
#include "trolley/bus/loop/loop.h"

namespace trolley::internal {

// Throws a std::logic_error with the text `sentence`.
[[noreturn]] void ThrowMisuse(absl::string_view sentence);

// Throws: `what` was called or awaited where no coroutine handler runs.
[[noreturn]] void ThrowNoHandler(absl::string_view what);

// The coroutine handler that runs on `loop`. Throws if none runs, on another
// thread, and if it is not a handler of `actor` (unless that is empty).
inline SuspendedHandler& HandlerInHand(const Loop* loop, const char* what,
                                       ActorId actor = {}) {
  if (loop == nullptr || loop != Loop::Current() ||
      loop->current().handler == nullptr ||
      (actor && actor != loop->current().self)) [[unlikely]] {
    ThrowNoHandler(what);
  }
  return *loop->current().handler;
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_MISUSE_H_
