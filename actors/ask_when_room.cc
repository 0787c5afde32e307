// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/ask_when_room.h"

#include "absl/strings/str_cat.h"
#include "trolley/actors/internal/send_from_loop.h"
#include "trolley/bus/loop/envelope_ptr.h"

namespace trolley::internal {

absl::Status WaitsForRoom::Begin(Loop& loop, uint64_t ask_id) {
  const Envelope& e = message_->envelope();
  message_->SetAskId(ask_id);
  if (LinkIsDown(loop.bus(), *e.ops, e.target)) {
    return Refused(loop, Delivery::kNotConnected);
  }
  const Delivery taken = message_->TakeRoom();
  if (taken == Delivery::kFull) {
    loop.router().RequestCredit(e.target, e.sender, message_->bytes(), ask_id);
    return absl::OkStatus();
  }
  if (taken != Delivery::kAccepted) return Refused(loop, taken);
  message_->Post();
  message_.reset();
  return absl::OkStatus();
}

absl::Status WaitsForRoom::Granted(Loop& loop, Envelope* reply,
                                   uint64_t ask_id) {
  const bool granted = reply->payload<absl::Status>().ok();
  EnvelopePtr(reply).reset();
  if (!granted) return Refused(loop, Delivery::kGone);
  Envelope& e = message_->envelope();
  if (!message_->SetCredit()) {
    // Another sender was faster and took the bytes.
    loop.router().RequestCredit(e.target, e.sender, message_->bytes(), ask_id);
    return absl::OkStatus();
  }
  // If the link is down by now, the credit goes to the next sender.
  if (LinkIsDown(loop.bus(), *e.ops, e.target)) {
    return Refused(loop, Delivery::kNotConnected);
  }
  e.set_ask_id(ask_id);
  message_->Post();
  message_.reset();
  return absl::OkStatus();
}

absl::Status WaitsForRoom::NoRoomWithin(Loop& loop, absl::Duration within) {
  absl::Status error = absl::DeadlineExceededError(absl::StrCat(
      loop.bus().Describe(message_->target()),
      " had no room for the ask within ", absl::FormatDuration(within)));
  message_.reset();
  return error;
}

absl::Status WaitsForRoom::Refused(Loop& loop, Delivery delivery) {
  absl::Status error = loop.bus().Explain(delivery, message_->target());
  message_.reset();
  return error;
}

}  // namespace trolley::internal
