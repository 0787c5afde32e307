// SPDX-License-Identifier: Apache-2.0
//
// What handles a message, as far as its envelope knows it, and how that ended.
// Bases and values.

#ifndef TROLLEY_BUS_MESSAGE_HANDLING_H_
#define TROLLEY_BUS_MESSAGE_HANDLING_H_

#include <cstdint>

namespace trolley::internal {

// An actor: the base of ActorBase (bus/mailbox/actor_base.h).
class MessageTarget {
 protected:
  ~MessageTarget() = default;
};

// The base of SuspendedHandler (bus/mailbox/suspended_handler.h).
class HandlerCoroutine {
 protected:
  ~HandlerCoroutine() = default;
};

// How a handler ended.
enum class Outcome : uint8_t {
  kHandled,    // it returned; the payload is destroyed
  kFailed,     // it returned an error; the payload is destroyed
  kCoroutine,  // it is a coroutine, and owns the payload until it finishes
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MESSAGE_HANDLING_H_
