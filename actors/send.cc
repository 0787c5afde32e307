// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/send.h"

#include "absl/strings/str_cat.h"
#include "trolley/actors/internal/send_from_loop.h"
#include "trolley/bus/loop/envelope_ptr.h"

namespace trolley {

SendAwaiter::SendAwaiter(internal::Loop* loop,
                         internal::OutgoingMessage message,
                         absl::Duration within)
    : ReplyAwaiter(loop), within_(within), message_(std::move(message)) {
  const internal::Envelope& e = message_->envelope();
  if (internal::LinkIsDown(loop->bus(), *e.ops, e.target)) {
    FinishSend(Delivery::kNotConnected);
    return;
  }
  const Delivery taken = message_->TakeRoom();
  if (taken != Delivery::kFull || !Reserve()) {
    FinishSend(taken);
    return;
  }
  loop->router().RequestCredit(e.target, e.sender, message_->bytes(), ask_id());
  loop->timers().Set(*this, loop->clock().After(within_));
}

absl::Status SendAwaiter::await_resume() {
  if (message_.has_value() || std::exchange(resumed_, true)) {
    return absl::FailedPreconditionError("a send is awaited once");
  }
  return std::move(result_);
}

void SendAwaiter::OnReply(internal::Envelope* reply) {
  const bool granted = reply->payload<absl::Status>().ok();
  internal::EnvelopePtr(reply).reset();
  Settle();
  const internal::Envelope& e = message_->envelope();
  if (!granted) {
    FinishSend(Delivery::kGone);
  } else {
    // If the link is down by now, the credit goes to the next sender.
    const bool down = internal::LinkIsDown(loop()->bus(), *e.ops, e.target);
    if (message_->SetCredit()) {
      FinishSend(down ? Delivery::kNotConnected : Delivery::kAccepted);
    } else if (Reserve()) {
      // Another sender was faster and took the bytes.
      loop()->router().RequestCredit(e.target, e.sender, message_->bytes(),
                                     ask_id());
      return;
    } else {
      FinishSend(Delivery::kFull);
    }
  }
  Wake();
}

void SendAwaiter::GiveUp() {
  if (!message_.has_value()) return;
  StopWaiting(absl::CancelledError("the sender waits for room no longer"));
  loop()->timers().Set(*this, loop()->Now());
}

void SendAwaiter::OnTimer() {
  if (message_.has_value()) {
    StopWaiting(absl::DeadlineExceededError(
        absl::StrCat(loop()->bus().Describe(message_->target()),
                     " had no room for the message within ",
                     absl::FormatDuration(within_))));
  }
  Wake();
}

void SendAwaiter::StopWaiting(absl::Status why) {
  Settle();
  message_.reset();
  result_ = std::move(why);
}

void SendAwaiter::FinishSend(Delivery delivery) {
  Cancel();
  if (delivery == Delivery::kAccepted) {
    message_->Post();
  } else {
    result_ = loop()->bus().Explain(delivery, message_->target());
  }
  message_.reset();
}

}  // namespace trolley
