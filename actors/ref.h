// SPDX-License-Identifier: Apache-2.0
//
// Ref<A>: an Address that knows the class of its actor, and so which messages
// it takes and what it replies. A message without an On() in A does not compile
// (actors/internal/message_of.h).
//
//   ref.Tell(Deposit{25});                      // one way, from any thread
//   co_await ref.Send(Deposit{25});             // an actor waits for a credit
//   co_await ref.SendWithin(Deposit{25}, t);    // the same, for a time
//   co_await ref.Ask(GetBalance{}, timeout);    // an actor gets the reply
//   co_await ref.AskWhenRoom(GetBalance{}, t);  // the same, and waits for room
//   ref.AskThen(GetBalance{}, timeout, done);   // any thread: done(reply)
//   ref.AskAndWait(GetBalance{}, timeout);      // a plain thread blocks
//   ref.Tell<Deposit>(25);                      // built where it travels
//   ref.Ask<Text>(timeout, "...");              // the same
//
//   when                       Tell            the others
//   the mailbox is full        kFull           ResourceExhausted, or wait
//   the actor has ended        kGone           NotFound
//   the bus shuts down         kDraining       Unavailable
//   its link is down           kNotConnected   Unavailable
//
// A bus that shuts down refuses messages of plain threads and of other buses.
// Its own actors may send until they end.
//
// The verbs throw nothing of their own. What the message throws when it is
// built, copied or moved reaches the sender: nothing was sent, and the ledger
// counts the send as refused.
//
// Ownership: as Address; it never dangles.
// Threads:   thread-safe; Ask and Send only in an actor's coroutine.
// Bounds:    a full mailbox refuses (SpawnOptions::mailbox_capacity).
// Memory ordering: what the sender did before is visible to the handler. What
//            the handler did is visible to the asker that has its reply.

#ifndef TROLLEY_ACTORS_REF_H_
#define TROLLEY_ACTORS_REF_H_

#include <algorithm>
#include <type_traits>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/ask.h"
#include "trolley/actors/ask_when_room.h"
#include "trolley/actors/internal/ask_from_actor.h"
#include "trolley/actors/internal/awaited.h"
#include "trolley/actors/internal/blocking_ask.h"
#include "trolley/actors/internal/callback_ask.h"
#include "trolley/actors/internal/handler.h"
#include "trolley/actors/internal/send_from_loop.h"
#include "trolley/actors/protocol.h"
#include "trolley/actors/send.h"
#include "trolley/actors/tell_options.h"
#include "trolley/bus/address.h"

namespace trolley {

namespace internal {
struct RefAccess;
}  // namespace internal

template <typename A>
class Ref {
  using Target = internal::Target<A>;
  template <typename M>
  using ReplyTo = typename Target::template ReplyOf<M>;
  // The message that an X is.
  template <typename X>
  using Whole = typename internal::SentWhole<A, X>::Type;
  template <typename M, typename... Args>
  using AskAwaiterFor = internal::Awaited<AskAwaiter<ReplyTo<M>>, Args...>;
  template <typename M, typename... Args>
  using RoomAskAwaiterFor =
      internal::Awaited<AskWhenRoomAwaiter<ReplyTo<M>>, Args...>;
  template <typename... Args>
  using SendAwaiterFor = internal::Awaited<SendAwaiter, Args...>;

 public:
  Ref() = default;  // names no actor
  explicit Ref(Address address) : address_(std::move(address)) {}

  // A Ref<Protocol<...>> from a Ref of an actor that handles all of it.
  template <typename B>
  requires requires { Target::template Of<B>(); }
  Ref(const Ref<B>& actor)  // NOLINT: a Ref is one of its protocols
      : address_(actor.address()), target_(Target::template Of<B>()) {}

  const Address& address() const { return address_; }
  ActorId id() const { return address_.id(); }
  explicit operator bool() const { return static_cast<bool>(address_); }

  // Never blocks. A refused message is not moved from, with one exception: the
  // loop of the actor ends during the call of a plain thread (kGone).
  template <int&... kDeduced, typename X>
  Delivery Tell(X&& message) const {
    return Tell<Whole<X>>(std::forward<X>(message));
  }
  template <typename M, typename... Args>
  Delivery Tell(Args&&... args) const {
    Check<M, Args...>();
    internal::Loop* loop = internal::LoopOf(address_.bus());
    if (ABSL_PREDICT_FALSE(loop == nullptr) ||
        ABSL_PREDICT_FALSE(internal::HasContext(*loop)) ||
        ABSL_PREDICT_FALSE(OpsOf<M>()->leads_over_a_link)) {
      return internal::TellSlowly<M>(address_, OpsOf<M>(),
                                     std::forward<Args>(args)...);
    }
    return internal::SendFromLoop<M>(
        *loop, id(), OpsOf<M>(), internal::Envelope::BytesFor<M>(),
        Instant::Infinite(), [](internal::Envelope&) {},
        std::forward<Args>(args)...);
  }

  template <int&... kDeduced, typename X>
  Delivery TellWith(const TellOptions& options, X&& message) const {
    return TellWith<Whole<X>>(options, std::forward<X>(message));
  }
  template <typename M, typename... Args>
  Delivery TellWith(const TellOptions& options, Args&&... args) const {
    Check<M, Args...>();
    return internal::TellAnyhow<M>(address_, OpsOf<M>(), options,
                                   std::forward<Args>(args)...);
  }

  // Waits for a credit while the mailbox is full; SendWithin for `timeout` at
  // most. Errors: the table of send.h.
  template <int&... kDeduced, typename X>
  SendAwaiterFor<X> Send(X&& message) const {
    return Send<Whole<X>>(std::forward<X>(message));
  }
  template <typename M, typename... Args>
  SendAwaiterFor<Args...> Send(Args&&... args) const {
    return SendWithin<M>(absl::InfiniteDuration(), std::forward<Args>(args)...);
  }
  template <int&... kDeduced, typename X>
  SendAwaiterFor<X> SendWithin(X&& message, absl::Duration timeout) const {
    return SendWithin<Whole<X>>(timeout, std::forward<X>(message));
  }
  template <typename M, typename... Args>
  SendAwaiterFor<Args...> SendWithin(absl::Duration timeout,
                                     Args&&... args) const {
    Check<M, Args...>();
    return internal::BeginSend<SendAwaiterFor<Args...>>(
        address_, timeout, [&](internal::OutgoingMessage& out) {
          out.Build<M>(OpsOf<M>(), internal::Envelope::BytesFor<M>(),
                       Instant::Infinite(), std::forward<Args>(args)...);
        });
  }

  // Resolves to what On() returns. Errors: the table of ask.h. The deadline is
  // `timeout` from now, or that of the message in hand if it is sooner.
  template <int&... kDeduced, typename X>
  AskAwaiterFor<Whole<X>, X> Ask(X&& message, absl::Duration timeout) const {
    return Ask<Whole<X>>(timeout, std::forward<X>(message));
  }
  template <typename M, typename... Args>
  AskAwaiterFor<M, Args...> Ask(absl::Duration timeout, Args&&... args) const {
    Check<M, Args...>();
    return internal::AskFromActor<AskAwaiterFor<M, Args...>, M>(
        address_, OpsOf<M>(), BytesToAsk<M>(), timeout,
        std::forward<Args>(args)...);
  }

  // The same, and waits for room while the mailbox is full
  // (actors/ask_when_room.h).
  template <int&... kDeduced, typename X>
  RoomAskAwaiterFor<Whole<X>, X> AskWhenRoom(X&& message,
                                             absl::Duration timeout) const {
    return AskWhenRoom<Whole<X>>(timeout, std::forward<X>(message));
  }
  template <typename M, typename... Args>
  RoomAskAwaiterFor<M, Args...> AskWhenRoom(absl::Duration timeout,
                                            Args&&... args) const {
    Check<M, Args...>();
    return internal::AskWhenRoomFromActor<RoomAskAwaiterFor<M, Args...>, M>(
        address_, OpsOf<M>(), BytesToAsk<M>(), timeout,
        std::forward<Args>(args)...);
  }

  // Calls done(reply) once, such as from a gRPC handler: on the loop of the
  // asked actor, or in this call if the message is refused. `done` must return
  // soon and not throw. Errors: as Ask, without FailedPrecondition; Internal if
  // the reply throws when it is moved. The deadline is `timeout` from now. Then
  // a message in the mailbox is dropped and a suspended handler is cancelled; a
  // handler that runs is not interrupted.
  template <int&... kDeduced, typename X>
  void AskThen(X&& message, absl::Duration timeout,
               absl::AnyInvocable<void(ReplyTo<Whole<X>>)> done) const {
    Check<Whole<X>, X>();
    internal::AskWithCallback<ReplyTo<Whole<X>>, Whole<X>>(
        address_, OpsOf<Whole<X>>(), BytesToAsk<Whole<X>>(), timeout,
        std::move(done), std::forward<X>(message));
  }

  // Blocks the calling thread until the reply or `timeout`. Errors: the table
  // of ask.h; FailedPrecondition: the thread is a loop's. Throws what the reply
  // throws when it is moved.
  template <int&... kDeduced, typename X>
  ReplyTo<Whole<X>> AskAndWait(X&& message, absl::Duration timeout) const {
    return AskAndWait<Whole<X>>(timeout, std::forward<X>(message));
  }
  template <typename M, typename... Args>
  ReplyTo<M> AskAndWait(absl::Duration timeout, Args&&... args) const {
    Check<M, Args...>();
    return internal::AskFromThread<ReplyTo<M>, M>(address_, OpsOf<M>(),
                                                  BytesToAsk<M>(), timeout,
                                                  std::forward<Args>(args)...);
  }

  // As Address::Stop.
  Delivery Stop(bool drain = false) const { return address_.Stop(drain); }

  friend bool operator==(const Ref& a, const Ref& b) {
    return a.address_ == b.address_;
  }

 private:
  friend struct internal::RefAccess;

  // A takes M, and M can be built from `Args`.
  template <typename M, typename... Args>
  static constexpr void Check() {
    static_assert(sizeof(typename Target::template Check<M>) > 0);
    static_assert(sizeof(internal::MessageFrom<M, Args...>) > 0);
  }

  // The reply comes back in the envelope of the question.
  template <typename M>
  static constexpr size_t BytesToAsk() {
    return std::max(internal::Envelope::BytesFor<M>(),
                    internal::Envelope::BytesFor<ReplyTo<M>>());
  }

  template <typename M>
  const internal::MessageOps* OpsOf() const {
    return target_.template OpsOf<M>();
  }

  Address address_;
  [[no_unique_address]] Target target_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_REF_H_
