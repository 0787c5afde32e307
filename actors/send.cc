// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/send.h"

#include "trolley/actors/internal/send_from_loop.h"
#include "trolley/bus/loop/envelope_ptr.h"
#include "trolley/bus/mailbox/credit_requests.h"

namespace trolley {

SendAwaiter::SendAwaiter(internal::Loop* loop,
                         internal::OutgoingMessage message)
    : ReplyAwaiter(loop), message_(std::move(message)) {
  const internal::Envelope& e = message_->envelope();
  if (internal::LinkIsDown(loop->bus(), *e.ops, e.target)) {
    FinishSend(Delivery::kNotConnected);
    return;
  }
  const Delivery taken = message_->TakeCredit();
  if (taken != Delivery::kFull || !Reserve()) {
    FinishSend(taken);
    return;
  }
  internal::MessageRouter& router = loop->router();
  internal::Envelope* request = internal::ControlEnvelope(
      router.NewEnvelope(internal::Envelope::BytesFor<absl::Status>()),
      e.target, internal::CreditRequest{});
  request->sender = e.sender;
  request->set_ask_id(ask_id());
  router.Send(request);
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
    message_->SetCredit();
    // If the link is down by now, the credit goes to the next sender.
    FinishSend(internal::LinkIsDown(loop()->bus(), *e.ops, e.target)
                   ? Delivery::kNotConnected
                   : Delivery::kAccepted);
  }
  Wake();
}

void SendAwaiter::GiveUp() {
  if (!message_.has_value()) return;
  Settle();
  message_.reset();
  result_ = absl::CancelledError("the sender waits for room no longer");
  loop()->timers().Set(*this, loop()->Now());
}

void SendAwaiter::FinishSend(Delivery delivery) {
  if (delivery == Delivery::kAccepted) {
    message_->Post();
  } else {
    result_ = loop()->bus().Explain(delivery, message_->target());
  }
  message_.reset();
}

}  // namespace trolley
