// SPDX-License-Identifier: Apache-2.0
//
// Sending: a send that waits for room. Made by Ref::Send; awaited by the actor
// that sends. How an actor slows down to the pace of the one it feeds: senders
// get the places of a full mailbox in the order in which they asked.
//
// It waits as long as it takes: two actors that wait for room in each other's
// mailbox wait for ever, and so does one that waits for its own. Send along a
// line, answer with replies.
//
// Ownership: lives in the coroutine's frame; cannot be moved.
// Threads:   loop thread only.
// Bounds:    as Asking.
// Ends:      resolves once: OK (accepted), or
//              NotFound      the actor has ended
//              Unavailable   the link to its process is down
//              Cancelled     GiveUp()
//            To await it again, or from two coroutines, is a
//            FailedPrecondition.
//            Destroyed earlier, the message is dropped.

#ifndef TROLLEY_ACTORS_SEND_H_
#define TROLLEY_ACTORS_SEND_H_

#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/ask.h"
#include "trolley/bus/control_messages.h"

namespace trolley {

class [[nodiscard]] Sending : public internal::ReplyAwaiter, private Timer {
 public:
  // Ref::Send makes these. Takes `message`, complete but for its place; null
  // with an error to resolve to.
  Sending(Loop* loop, Envelope* message, absl::Status error);
  ~Sending() override;

  bool await_ready() const { return message_ == nullptr || waits(); }
  absl::Status await_resume();

  // If it still waits for room, it waits no longer: the message is dropped, and
  // the coroutine goes on in a later turn.
  void GiveUp();

 private:
  void OnReply(Envelope* e) override;
  void OnTimer() override { Wake(); }
  void Conclude(Delivery delivery);
  void Drop(absl::Status result);

  Envelope* message_;  // null once it is sent or dropped
  absl::Status result_;
  bool resumed_ = false;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SEND_H_
