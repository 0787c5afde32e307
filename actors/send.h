// SPDX-License-Identifier: Apache-2.0
//
// SendAwaiter: a send that waits for a credit of the mailbox. Ref::Send() makes
// it; the actor that sends awaits it. So the sender is no faster than the actor
// that handles its messages:
//
//   for (Line& line : lines) {
//     absl::Status sent = co_await splitter_.Send(std::move(line));
//     if (!sent.ok()) co_return sent;
//   }
//
// Senders get the credits of a full mailbox in the order in which they asked.
// If the mailbox has a bound in bytes, a message that fits may go before a
// larger one that waits.
// Ref::SendWithin() has a deadline, Ref::Send() has none. With that, two actors
// that wait for credits of each other's mailbox wait for ever. So does an actor
// that waits for a credit of its own mailbox. So send in one direction only,
// and answer with replies.
//
// Ownership: lives in the coroutine's frame; cannot be moved.
// Threads:   loop thread only.
// Bounds:    LoopOptions::max_pending_asks, together with asks.
// Ends:      it resolves once. Destroyed before that, the message is dropped.
//
//   code                 when
//   OK                   accepted
//   NotFound             the actor has ended, or the Ref is empty
//   Unavailable          the link to the actor's process is down
//   ResourceExhausted    the mailbox is full, and this loop has
//                        LoopOptions::max_pending_asks waiting
//   DeadlineExceeded     the mailbox had no room within the time of SendWithin
//   Cancelled            GiveUp()
//   FailedPrecondition   awaited twice, or sent by no actor

#ifndef TROLLEY_ACTORS_SEND_H_
#define TROLLEY_ACTORS_SEND_H_

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/ask.h"
#include "trolley/actors/internal/outgoing_message.h"
#include "trolley/bus/timer.h"

namespace trolley {

class [[nodiscard]] SendAwaiter : public internal::ReplyAwaiter, private Timer {
 public:
  // Ref::Send makes these. `message` is complete, except its credit. It waits
  // for `within` at most; negative is zero.
  SendAwaiter(internal::Loop* loop, internal::OutgoingMessage message,
              absl::Duration within = absl::InfiniteDuration());
  // The same for a message that is not sent: resolves to `error`.
  SendAwaiter(internal::Loop* loop, absl::Status error)
      : ReplyAwaiter(loop),
        within_(absl::ZeroDuration()),
        result_(std::move(error)) {}

  bool await_ready() const { return !message_.has_value() || waits(); }
  absl::Status await_resume();

  // If it still waits for a credit, it stops waiting: the message is dropped,
  // and the coroutine goes on in a later turn.
  void GiveUp();

 private:
  void OnReply(internal::Envelope* e) override;
  void OnTimer() override;
  void StopWaiting(absl::Status why);
  void FinishSend(Delivery delivery);

  const absl::Duration within_;
  std::optional<internal::OutgoingMessage> message_;  // until it has ended
  absl::Status result_;
  bool resumed_ = false;
};

namespace internal {

// A SendAwaiter of a message that build(OutgoingMessage&) makes, or one that
// resolves to the error.
template <typename Operation, typename Build>
Operation BeginSend(const Address& to, absl::Duration within, Build build) {
  Loop* loop = LoopOf(to.bus());
  if (!to) {
    return Operation(loop, absl::NotFoundError("this Ref names no actor"));
  }
  if (loop == nullptr || loop->current().cell == nullptr) {
    return Operation(loop, NotAnActor("Send"));
  }
  OutgoingMessage out(loop->bus(), loop, to.id());
  build(out);
  out.SetTrace({});
  return Operation(loop, std::move(out), within);
}

}  // namespace internal
}  // namespace trolley

#endif  // TROLLEY_ACTORS_SEND_H_
