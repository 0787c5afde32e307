// SPDX-License-Identifier: Apache-2.0
//
// CallbackAsk: an ask whose reply goes to a callback (Ref::AskThen).
//
// Ownership: reference counted; the envelope of the ask has the reference.
// Threads:   OnReply(): the loop that replies. Refused(): the asking thread.
// Ends:      when it has called the callback, once.

#ifndef TROLLEY_ACTORS_INTERNAL_CALLBACK_ASK_H_
#define TROLLEY_ACTORS_INTERNAL_CALLBACK_ASK_H_

#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/internal/outgoing_message.h"
#include "trolley/actors/internal/payload_guard.h"
#include "trolley/bus/message/external_ask.h"

namespace trolley::internal {

// For a catch block: Internal, with the text of the exception, made printable.
absl::Status ReplyThrew();

template <typename Reply>
class CallbackAsk final : public ExternalAsk {
 public:
  using Done = absl::AnyInvocable<void(Reply)>;

  CallbackAsk(Address asked, absl::Duration timeout, Done done)
      : asked_(std::move(asked)), timeout_(timeout), done_(std::move(done)) {}

  void OnReply(Envelope* e) override { done_(Take(e)); }
  // The message was not sent.
  void Refused(Delivery delivery) { done_(asked_.Explain(delivery)); }

 private:
  // What `done_` gets. Destroys the payload of `e`.
  Reply Take(Envelope* e) {
    const PayloadGuard<Reply> payload(e);
    if (e->has(Envelope::kExpiredFirst)) {
      return asked_.bus()->NoReplyWithin(asked_.id(), timeout_);
    }
    try {
      return MoveOut(e->payload<Reply>());
    } catch (...) {
      return ReplyThrew();
    }
  }

  const Address asked_;
  const absl::Duration timeout_;
  Done done_;
};

// Ref::AskThen. `ops` are those of M, `bytes` have room for M and the Reply.
template <typename Reply, typename M, typename... Args>
void AskWithCallback(const Address& to, const MessageOps* ops, size_t bytes,
                     absl::Duration timeout,
                     typename CallbackAsk<Reply>::Done done, Args&&... args) {
  if (!to) return done(to.Explain(Delivery::kGone));
  BusState& bus = *to.bus();
  OutgoingMessage out(bus, LoopOf(&bus), to.id());
  const Delivery taken = out.TakeRoomAndBuild<M>(
      ops, bytes, bus.clock().Now() + timeout, std::forward<Args>(args)...);
  if (taken != Delivery::kAccepted) return done(to.Explain(taken));
  out.SetTrace({});
  using Ask = CallbackAsk<Reply>;
  auto ask = RefPtr<Ask>::Adopt(new Ask(to, timeout, std::move(done)));
  out.SetAsker(RefPtr<ExternalAsk>::Share(ask.get()));
  const Delivery sent = out.Post();
  if (sent != Delivery::kAccepted) ask->Refused(sent);
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_CALLBACK_ASK_H_
