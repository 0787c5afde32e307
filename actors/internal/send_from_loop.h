// SPDX-License-Identifier: Apache-2.0
//
// SendFromLoop: how a loop sends most messages. There are three ways, from the
// fastest on:
//
//   the message cannot throw, its target lives    the whole send is inline
//     on this loop, and this loop has a credit
//     and an envelope at hand
//   the message cannot throw                      the steps of the router
//                                                 (bus/loop/message_router.h)
//   its constructor may throw, or it is urgent,   OutgoingMessage, which gives
//     or the mailbox bounds its bytes             the room back
//
// Ownership: the message belongs to its envelope, and that to the target.
// Threads:   loop thread only. TellAnyhow and TellSlowly: any thread.

#ifndef TROLLEY_ACTORS_INTERNAL_SEND_FROM_LOOP_H_
#define TROLLEY_ACTORS_INTERNAL_SEND_FROM_LOOP_H_

#include <utility>

#include "absl/base/attributes.h"
#include "trolley/actors/internal/built_from.h"
#include "trolley/actors/internal/message_of.h"
#include "trolley/actors/internal/outgoing_message.h"
#include "trolley/actors/tell_options.h"
#include "trolley/bus/address.h"
#include "trolley/bus/loop/loop.h"

namespace trolley::internal {

// True: such a message cannot throw, and goes to the data lane.
template <typename M, typename... Args>
inline constexpr bool kIsSimple = BuildsWithoutThrowing<M, Args...>() &&
                                  !kIsUrgent<M>;

// True: this mailbox bounds the bytes of such messages.
template <typename M>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool BoundsBytes(Loop& loop,
                                                     ActorId target) {
  if constexpr (kCountsBytes<M>) {
    return target && loop.bus().BudgetOf(target) != nullptr;
  }
  return false;
}

template <typename M, typename Finish, typename... Args>
ABSL_ATTRIBUTE_NOINLINE Delivery SendWithRoom(Loop& loop, ActorId target,
                                              const MessageOps* ops,
                                              size_t bytes, Instant deadline,
                                              Finish finish, Args&&... args) {
  OutgoingMessage out(loop.bus(), &loop, target);
  const Delivery taken = out.TakeRoomAndBuild<M>(ops, bytes, deadline,
                                                 std::forward<Args>(args)...);
  if (taken != Delivery::kAccepted) return taken;
  finish(out.envelope());
  return out.Post();
}

template <typename M, typename Finish, typename... Args>
ABSL_ATTRIBUTE_NOINLINE Delivery SendSimply(Loop& loop, ActorId target,
                                            const MessageOps* ops, size_t bytes,
                                            Instant deadline, Finish finish,
                                            Args&&... args) {
  MessageRouter& router = loop.router();
  const Delivery taken = target ? router.TakeCredit(target) : Delivery::kGone;
  router.CountSend(taken == Delivery::kAccepted);
  if (taken != Delivery::kAccepted) return taken;
  Envelope* e = router.NewEnvelope(
      bytes, {.ops = ops,
              .target = target,
              .sender = router.current().self,
              .deadline = deadline,
              .flags = Envelope::kDataLane | Envelope::kHoldsCredit});
  e->Emplace<M>(std::forward<Args>(args)...);
  finish(*e);
  router.Send(e);
  return Delivery::kAccepted;
}

// Sends an M from a loop; finish(Envelope&) completes it.
template <typename M, typename Finish, typename... Args>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline Delivery SendFromLoop(
    Loop& loop, ActorId target, const MessageOps* ops, size_t bytes,
    Instant deadline, Finish finish, Args&&... args) {
  if (!kIsSimple<M, Args...> || BoundsBytes<M>(loop, target)) [[unlikely]] {
    return SendWithRoom<M>(loop, target, ops, bytes, deadline, finish,
                           std::forward<Args>(args)...);
  }
  MessageRouter& router = loop.router();
  const auto [cell, e] =
      router.BeginHere(bytes, {ops, target, router.current().self, deadline});
  if (e == nullptr) [[unlikely]] {
    return SendSimply<M>(loop, target, ops, bytes, deadline, finish,
                         std::forward<Args>(args)...);
  }
  e->Emplace<M>(std::forward<Args>(args)...);
  finish(*e);
  router.Queue(*cell, e);
  return Delivery::kAccepted;
}

// True: such a message to this actor leaves the process, and the link is down.
inline bool LinkIsDown(BusState& bus, const MessageOps& ops, ActorId target) {
  return ops.leads_over_a_link && !bus.IsConnected(target);
}

// Ref::TellWith, from any thread.
template <typename M, typename... Args>
ABSL_ATTRIBUTE_NOINLINE Delivery TellAnyhow(const Address& to,
                                            const MessageOps* ops,
                                            const TellOptions& options,
                                            Args&&... args) {
  if (!to) return Delivery::kGone;
  BusState& bus = *to.bus();
  OutgoingMessage out(bus, LoopOf(&bus), to.id());
  if (LinkIsDown(bus, *ops, to.id())) return Delivery::kNotConnected;
  const Delivery taken =
      out.TakeRoomAndBuild<M>(ops, Envelope::BytesFor<M>(), options.deadline,
                              std::forward<Args>(args)...);
  if (taken != Delivery::kAccepted) return taken;
  out.SetTrace(options.trace);
  return out.Post();
}

// Ref::Tell, where it is not the fast way. It makes the options itself: so the
// caller has nothing on its stack, and needs no stack protector.
template <typename M, typename... Args>
ABSL_ATTRIBUTE_NOINLINE Delivery TellSlowly(const Address& to,
                                            const MessageOps* ops,
                                            Args&&... args) {
  return TellAnyhow<M>(to, ops, TellOptions(), std::forward<Args>(args)...);
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_SEND_FROM_LOOP_H_
