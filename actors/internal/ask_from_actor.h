// SPDX-License-Identifier: Apache-2.0
//
// AskFromActor and AskWhenRoomFromActor: Ref::Ask and Ref::AskWhenRoom, for the
// actor that runs on this thread. They resolve to an error if none does.
//
// Ownership: the awaiter that they return owns the ask.
// Threads:   loop thread only; on another thread they are an error.

#ifndef TROLLEY_ACTORS_INTERNAL_ASK_FROM_ACTOR_H_
#define TROLLEY_ACTORS_INTERNAL_ASK_FROM_ACTOR_H_

#include <utility>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/ask.h"
#include "trolley/actors/internal/outgoing_message.h"
#include "trolley/actors/internal/send_from_loop.h"
#include "trolley/bus/address.h"
#include "trolley/bus/message/causal_context.h"

namespace trolley::internal {

struct BegunAsk {
  Loop& loop;
  Instant deadline;
  absl::Duration within;
  CausalContext::Ptr askers;
};

// An Operation from send(BegunAsk&), or one that resolves to the error: `to` is
// empty (NotFound), no actor asks, or one of AskersOf(). The deadline is
// `timeout` from now, or that of the message in hand if it is sooner.
template <typename Operation, typename Send>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline Operation BeginAsk(const Address& to,
                                                       absl::Duration timeout,
                                                       Send send) {
  Loop* loop = LoopOf(to.bus());
  if (!to) {
    return Operation(loop, absl::NotFoundError("this Ref names no actor"));
  }
  if (loop == nullptr || loop->current().cell == nullptr) {
    return Operation(loop, NotAnActor("Ask"));
  }
  absl::StatusOr<CausalContext::Ptr> askers = CausalContext::Ptr();
  if (loop->current().envelope != nullptr) askers = AskersOf(*loop, to.id());
  if (!askers.ok()) return Operation(loop, askers.status());
  BegunAsk begun{.loop = *loop,
                 .deadline = loop->clock().After(timeout),
                 .within = timeout,
                 .askers = *std::move(askers)};
  const Instant in_hand = DeadlineInHand(*loop);
  if (in_hand < begun.deadline) {
    begun.within = in_hand - loop->clock().Recent();
    begun.deadline = in_hand;
  }
  return send(begun);
}

template <typename Operation, typename M, typename... Args>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline Operation AskFromActor(
    const Address& to, const MessageOps* ops, size_t bytes,
    absl::Duration timeout, Args&&... args) {
  return BeginAsk<Operation>(to, timeout, [&](BegunAsk& begun) {
    Loop& loop = begun.loop;
    const auto send = [&](uint64_t ask_id) {
      const auto finish = [&](Envelope& e) {
        OutgoingMessage::MarkAsAsk(e, loop, ask_id);
        e.SetContext(std::move(begun.askers));
      };
      const Delivery delivery =
          SendFromLoop<M>(loop, to.id(), ops, bytes, begun.deadline, finish,
                          std::forward<Args>(args)...);
      return delivery == Delivery::kAccepted ? absl::OkStatus()
                                             : to.Explain(delivery);
    };
    return Operation(&loop, to.id(), begun.deadline, begun.within, send);
  });
}

template <typename Operation, typename M, typename... Args>
Operation AskWhenRoomFromActor(const Address& to, const MessageOps* ops,
                               size_t bytes, absl::Duration timeout,
                               Args&&... args) {
  return BeginAsk<Operation>(to, timeout, [&](BegunAsk& begun) {
    Loop& loop = begun.loop;
    OutgoingMessage out(loop.bus(), &loop, to.id());
    out.Build<M>(ops, bytes, begun.deadline, std::forward<Args>(args)...);
    out.envelope().SetContext(std::move(begun.askers));
    return Operation(&loop, begun.deadline, begun.within, std::move(out));
  });
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_ASK_FROM_ACTOR_H_
