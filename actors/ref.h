// SPDX-License-Identifier: Apache-2.0
//
// Ref<A>: an Address that knows its actor's class, and so what may be sent to
// it and what comes back. A message that A has no On() for does not compile
// (actors/message_of.h).
//
//   Tell        send one way; never blocks
//   Send        the same, but a coroutine handler waits for room
//   Ask         send and get a reply, in a coroutine handler
//   AskAndWait  the same for a plain thread, which blocks
//
// Each takes the message as a whole, or its type and what it is built from; it
// is then built where it travels, and by nothing that throws it is never moved:
//
//   ref.Tell(Deposit{25});                   ref.Tell<Deposit>(25);
//   ref.Ask(std::move(text), timeout);       ref.Ask<Text>(timeout, "...");
//
// None of them throws, but for what the message itself throws as it is copied,
// moved or built. The sender gets that; nothing was sent then, and the attempt
// counts as refused if a place had been taken.
//
// Ownership: as Address: good for ever.
// Threads:   thread-safe; Ask and Send only in an actor's handler.
// Memory ordering: what the sender did before is visible to the handler, and
//            what the handler did, to whoever gets its reply.

#ifndef TROLLEY_ACTORS_REF_H_
#define TROLLEY_ACTORS_REF_H_

#include <algorithm>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/ask.h"
#include "trolley/actors/awaited.h"
#include "trolley/actors/blocking_ask.h"
#include "trolley/actors/handler.h"
#include "trolley/actors/posting.h"
#include "trolley/actors/protocol.h"
#include "trolley/actors/send.h"
#include "trolley/actors/tell_options.h"
#include "trolley/bus/address.h"

namespace trolley {

class PipeReader;

template <typename A>
class Ref {
  using Target = internal::Target<A>;
  template <typename M>
  using ReplyTo = typename Target::template ReplyOf<M>;
  // The message that an X is.
  template <typename X>
  using Whole = typename internal::SentWhole<A, X>::Type;
  template <typename M, typename... Args>
  using AskingFor = internal::Awaited<Asking<ReplyTo<M>>, Args...>;
  template <typename... Args>
  using SendingFor = internal::Awaited<Sending, Args...>;

 public:
  Ref() = default;  // names nobody
  explicit Ref(Address address) : address_(std::move(address)) {}

  // A Ref<Protocol<...>> from any actor that handles all of it.
  template <typename B>
  requires requires { Target::template Of<B>(); }
  Ref(const Ref<B>& actor)  // NOLINT: a Ref is one of its protocols
      : address_(actor.address()), target_(Target::template Of<B>()) {}

  const Address& address() const { return address_; }
  ActorId id() const { return address_.id(); }
  explicit operator bool() const { return static_cast<bool>(address_); }

  // Any Delivery; what is refused is counted, and not moved from. kNotConnected
  // comes from actors of other processes only (actors/remote.h).
  template <int&... kDeduced, typename X>
  Delivery Tell(X&& message) const {
    return Tell<Whole<X>>(std::forward<X>(message));
  }
  template <typename M, typename... Args>
  Delivery Tell(Args&&... args) const {
    Check<M, Args...>();
    Loop* loop = internal::LoopOf(address_.bus());
    if (loop == nullptr || internal::MayBeTraced(*loop) ||
        TypeOf<M>()->leads_over_a_link) [[unlikely]] {
      return TellAnyway<M>({}, std::forward<Args>(args)...);
    }
    return internal::SendFromLoop<M>(
        *loop, id(), TypeOf<M>(), Envelope::BytesFor<M>(), Instant::Infinite(),
        [](Envelope*) {}, std::forward<Args>(args)...);
  }

  template <int&... kDeduced, typename X>
  Delivery TellWith(const TellOptions& options, X&& message) const {
    return TellWith<Whole<X>>(options, std::forward<X>(message));
  }
  template <typename M, typename... Args>
  Delivery TellWith(const TellOptions& options, Args&&... args) const {
    Check<M, Args...>();
    return TellAnyway<M>(options, std::forward<Args>(args)...);
  }

  // Waits for room if the mailbox is full. Errors: as listed in send.h.
  template <int&... kDeduced, typename X>
  SendingFor<X> Send(X&& message) const {
    return Send<Whole<X>>(std::forward<X>(message));
  }
  template <typename M, typename... Args>
  SendingFor<Args...> Send(Args&&... args) const {
    Check<M, Args...>();
    Loop* loop = internal::LoopOf(address_.bus());
    if (loop == nullptr || loop->turn().cell == nullptr) {
      return SendingFor<Args...>(loop, nullptr, internal::NotAnActor("Send"));
    }
    Envelope* e = loop->NewEnvelope(Envelope::BytesFor<M>(),
                                    Head<M>(loop, Instant::Infinite()));
    internal::Fill<M>(
        e, [&] { loop->Free(e); }, std::forward<Args>(args)...);
    internal::SetTrace({}, loop, e);
    return SendingFor<Args...>(loop, e, absl::OkStatus());
  }

  // Resolves to what On() returns; errors as listed in ask.h. The deadline is
  // the sooner of `timeout` from now and that of the message in hand.
  template <int&... kDeduced, typename X>
  AskingFor<Whole<X>, X> Ask(X&& message, absl::Duration timeout) const {
    return Ask<Whole<X>>(timeout, std::forward<X>(message));
  }
  template <typename M, typename... Args>
  AskingFor<M, Args...> Ask(absl::Duration timeout, Args&&... args) const {
    Check<M, Args...>();
    using Operation = AskingFor<M, Args...>;
    Loop* loop = internal::LoopOf(address_.bus());
    if (!address_) {
      return Operation(loop, absl::NotFoundError("this Ref names nobody"));
    }
    if (loop == nullptr || loop->turn().cell == nullptr) {
      return Operation(loop, internal::NotAnActor("Ask"));
    }
    absl::StatusOr<Context::Ptr> askers = internal::AskersOf(*loop, id());
    if (!askers.ok()) return Operation(loop, askers.status());
    Instant deadline = loop->clock().After(timeout);
    const Envelope* in_hand = loop->turn().envelope;
    if (in_hand != nullptr && in_hand->deadline < deadline) {
      timeout = in_hand->deadline - loop->clock().Recent();
      deadline = in_hand->deadline;
    }
    return Operation(loop, id(), deadline, timeout, [&](uint64_t ask_id) {
      const auto finish = [loop, ask_id, &askers](Envelope* e) {
        internal::MarkAsAsk(e, *loop, ask_id);
        e->SetContext(*std::move(askers));
      };
      const Delivery delivery = internal::SendFromLoop<M>(
          *loop, id(), TypeOf<M>(), BytesToAsk<M>(), deadline, finish,
          std::forward<Args>(args)...);
      return delivery == Delivery::kAccepted ? absl::OkStatus()
                                             : address_.Explain(delivery);
    });
  }

  // Blocks the calling thread until the reply or `timeout`. Errors as listed in
  // ask.h; FailedPrecondition: the thread is a loop's. Throws what the reply
  // throws as it is moved.
  template <int&... kDeduced, typename X>
  ReplyTo<Whole<X>> AskAndWait(X&& message, absl::Duration timeout) const {
    return AskAndWait<Whole<X>>(timeout, std::forward<X>(message));
  }
  template <typename M, typename... Args>
  ReplyTo<M> AskAndWait(absl::Duration timeout, Args&&... args) const {
    Check<M, Args...>();
    return internal::AskFromThread<ReplyTo<M>, M>(address_, TypeOf<M>(),
                                                  BytesToAsk<M>(), timeout,
                                                  std::forward<Args>(args)...);
  }

  // As Address::Stop.
  Delivery Stop(bool drain = false) const { return address_.Stop(drain); }

  friend bool operator==(const Ref& a, const Ref& b) {
    return a.address_ == b.address_;
  }

 private:
  friend class PipeReader;

  template <typename M>
  void TellLast(M message) const {
    Check<M, M>();
    internal::SendLast(address_, TypeOf<M>(), std::move(message));
  }

  // M is what A takes, and can be built from `Args`.
  template <typename M, typename... Args>
  static constexpr void Check() {
    static_assert(sizeof(typename Target::template Check<M>) > 0);
    static_assert(sizeof(internal::MessageFrom<M, Args...>) > 0);
  }

  // From any thread.
  template <typename M, typename... Args>
  ABSL_ATTRIBUTE_NOINLINE Delivery TellAnyway(const TellOptions& options,
                                              Args&&... args) const {
    BusState* bus = address_.bus();
    Loop* loop = internal::LoopOf(bus);
    if (address_ && internal::LinkIsDown(*bus, *TypeOf<M>(), id())) {
      return internal::NotConnected(*bus, loop);
    }
    const auto finish = [&](Envelope* e) {
      internal::SetTrace(options.trace, loop, e);
    };
    if (loop != nullptr) {
      return internal::SendFromLoopAnywhere<M>(
          *loop, id(), TypeOf<M>(), Envelope::BytesFor<M>(), options.deadline,
          finish, std::forward<Args>(args)...);
    }
    const Delivery admitted = internal::Admit(bus, nullptr, id());
    if (admitted != Delivery::kAccepted) return admitted;
    Envelope* e = internal::MakeOutside<M>(*bus, Envelope::BytesFor<M>(),
                                           Head<M>(nullptr, options.deadline),
                                           std::forward<Args>(args)...);
    finish(e);
    return internal::Post(*bus, nullptr, e);
  }

  // The reply travels home in the envelope of the question.
  template <typename M>
  static constexpr size_t BytesToAsk() {
    return std::max(Envelope::BytesFor<M>(), Envelope::BytesFor<ReplyTo<M>>());
  }

  template <typename Message>
  const MessageType* TypeOf() const {
    return target_.template TypeOf<Message>();
  }
  template <typename Message>
  Envelope::Head Head(const Loop* loop, Instant deadline) const {
    return internal::HeadOf(loop, id(), TypeOf<Message>(), deadline);
  }

  Address address_;
  [[no_unique_address]] Target target_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_REF_H_
