// SPDX-License-Identifier: Apache-2.0
//
// Notice: a message by which the library tells an actor what has become of
// another one: Down, SeatTaken, SeatEmpty. A full mailbox does not refuse it.
// When the receiver has forgotten the other actor, its handler gets no notice
// any more. That holds for a notice in its mailbox, too.
//
//   SendNotice(watcher, &NoticeHandler<A, Down>::kOps, Down{...}, forgotten);
//
// Ownership: the message owns its part of the flag `forgotten`.
// Threads:   SendNotice() is thread-safe; the rest on the loop of the receiver.
// Bounds:    one message for each call of SendNotice(), without a credit.
// Ends:      when it is handled or dropped.

#ifndef TROLLEY_ACTORS_INTERNAL_NOTICE_H_
#define TROLLEY_ACTORS_INTERNAL_NOTICE_H_

#include <atomic>
#include <memory>
#include <utility>

#include "trolley/actors/internal/handler.h"
#include "trolley/actors/internal/outgoing_message.h"
#include "trolley/bus/address.h"

namespace trolley::internal {

// True: the receiver wants no notice any more. Shared by the receiver, by the
// callback that sends the notice, and by the notice on its way.
using Forgotten = std::atomic<bool>;

template <typename M>
struct Notice {
  M message;
  std::shared_ptr<const Forgotten> forgotten;
};

template <typename A, typename M>
struct NoticeHandler {
  static Outcome Deliver(MessageTarget& target, Envelope* e,
                         HandlerCoroutine*& coroutine) {
    Notice<M> notice = std::move(e->payload<Notice<M>>());
    DropAs<Notice<M>>(e);
    // mutant: P9_ADownComesAfterForget
    if (notice.forgotten->load()) return Outcome::kHandled;
    static_assert(Envelope::BytesFor<M>() <= Envelope::BytesFor<Notice<M>>());
    e->Emplace<M>(std::move(notice.message));
    e->ops = &Handler<A, M>::kOps;
    return Handler<A, M>::Deliver(target, e, coroutine);
  }

  static constexpr MessageOps kOps = {
      .deliver = &Deliver,
      .drop = &DropAs<Notice<M>>,
      .answer = nullptr,
      .name = &TypeName<M>,
  };
};

// `ops`: the NoticeHandler of the receiver's class.
template <typename M>
void SendNotice(const Address& to, const MessageOps* ops, M message,
                const std::shared_ptr<const Forgotten>& forgotten) {
  if (!to || forgotten->load()) return;
  BusState& bus = *to.bus();
  OutgoingMessage out(bus, LoopOf(&bus), to.id());
  out.WithoutCredit();
  out.Build<Notice<M>>(ops, Envelope::BytesFor<Notice<M>>(),
                       Instant::Infinite(), std::move(message), forgotten);
  // mutant: P9_ADownIsSentTwice
  (void)out.Post();
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_NOTICE_H_
