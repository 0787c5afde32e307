// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/send.h"

#include "trolley/actors/posting.h"

namespace trolley {

Sending::Sending(Loop* loop, Envelope* message, absl::Status error)
    : ReplyAwaiter(loop), message_(message), result_(std::move(error)) {
  if (message_ == nullptr) return;
  if (internal::LinkIsDown(loop->bus(), *message_->type, message_->target)) {
    Conclude(Delivery::kNotConnected);
    return;
  }
  const Delivery delivery = loop->TakePlace(message_->target);
  if (delivery != Delivery::kFull) {
    Conclude(delivery);
    return;
  }
  if (!Reserve()) {
    Conclude(Delivery::kFull);
    return;
  }
  Envelope* request =
      ControlEnvelope(loop->NewEnvelope(Envelope::BytesFor<absl::Status>()),
                      message_->target, RoomRequest{});
  request->sender = message_->sender;
  request->set_ask_id(ask_id());
  loop->Send(request);
}

Sending::~Sending() {
  if (message_ == nullptr) return;
  message_->type->drop(message_);
  loop()->Free(message_);
}

absl::Status Sending::await_resume() {
  if (message_ != nullptr || std::exchange(resumed_, true)) {
    return absl::FailedPreconditionError("a send is awaited once");
  }
  return std::move(result_);
}

void Sending::OnReply(Envelope* e) {
  const bool granted = e->payload<absl::Status>().ok();
  e->type->drop(e);
  loop()->Free(e);
  Settle();
  if (granted &&
      internal::LinkIsDown(loop()->bus(), *message_->type, message_->target)) {
    // The place is for the next one.
    loop()->Send(ControlEnvelope(
        loop()->NewEnvelope(Envelope::BytesFor<ReturnedPlace>()),
        message_->target, ReturnedPlace{}));
    Conclude(Delivery::kNotConnected);
  } else {
    Conclude(granted ? Delivery::kAccepted : Delivery::kGone);
  }
  Wake();
}

void Sending::GiveUp() {
  if (message_ == nullptr) return;
  Settle();
  loop()->port().ledger.CountSend(false);
  Drop(absl::CancelledError("the sender waits for room no longer"));
  loop()->timers().Set(*this, loop()->Now());
}

void Sending::Conclude(Delivery delivery) {
  loop()->port().ledger.CountSend(delivery == Delivery::kAccepted);
  if (delivery == Delivery::kAccepted) {
    loop()->Send(std::exchange(message_, nullptr));
    return;
  }
  Drop(loop()->bus().Explain(delivery, message_->target));
}

void Sending::Drop(absl::Status result) {
  result_ = std::move(result);
  message_->type->drop(message_);
  loop()->Free(std::exchange(message_, nullptr));
}

}  // namespace trolley
