// SPDX-License-Identifier: Apache-2.0
//
// Misuse: a mistake in a coroutine that no compiler sees. It ends the actor
// whose handler makes it, as any exception does: the sentence is in the log and
// in the reply. Nothing else in the library throws, but for the error that a
// background task returns.
//
// Any thread; on one that runs no actor the exception is the caller's.

#ifndef TROLLEY_ACTORS_MISUSE_H_
#define TROLLEY_ACTORS_MISUSE_H_

#include "absl/strings/string_view.h"
#include "trolley/bus/loop.h"

namespace trolley::internal {

// Throws a std::logic_error that says `sentence`.
[[noreturn]] void ThrowMisuse(absl::string_view sentence);

// `what` was called or awaited where no coroutine handler is in hand.
[[noreturn]] void ThrowNoHandler(absl::string_view what);

// The handler in hand, on whose behalf something waits: of an actor of `loop`,
// of `actor` if that is one. Throws if there is none, or on another thread.
inline SuspendedHandler& HandlerInHand(const Loop* loop, const char* what,
                                       ActorId actor = {}) {
  if (loop == nullptr || loop != Loop::Current() ||
      loop->turn().handler == nullptr || (actor && actor != loop->turn().self))
      [[unlikely]] {
    ThrowNoHandler(what);
  }
  return *loop->turn().handler;
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_MISUSE_H_
