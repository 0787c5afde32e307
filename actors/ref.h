// SPDX-License-Identifier: Apache-2.0
//
// Ref<A>: an Address that knows its actor's class, and so what may be sent to
// it and what comes back. A message that A has no On() for does not compile.
//
//   Tell        send one way; never blocks, never throws
//   Send        the same, but a coroutine handler waits for room
//   Ask         send and get a reply, in a coroutine handler
//   AskAndWait  the same for a plain thread, which blocks
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
#include "trolley/actors/blocking_ask.h"
#include "trolley/actors/handler.h"
#include "trolley/actors/posting.h"
#include "trolley/actors/protocol.h"
#include "trolley/actors/send.h"
#include "trolley/bus/address.h"

namespace trolley {

// What may go with a Tell.
struct TellOptions {
  // After it the message is dropped and counted instead of handled.
  Instant deadline = Instant::Infinite();
  // Default: that of the message in hand.
  TraceContext trace = {};
};

class PipeReader;

template <typename A>
class Ref {
  using Target = internal::Target<A>;
  template <typename M>
  using ReplyTo = typename Target::template ReplyOf<std::decay_t<M>>;

  // M's own type, once it is certain that A takes it.
  template <typename M>
  using Checked = std::enable_if_t<
      (sizeof(typename Target::template Check<std::decay_t<M>>) > 0),
      std::decay_t<M>>;

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

  // kAccepted, kFull, kGone or kDraining; what is refused is counted, and not
  // moved from.
  template <typename M>
  Delivery Tell(M&& message) const {
    using Message = Checked<M>;
    Loop* loop = internal::LoopOf(address_.bus());
    if (loop == nullptr || internal::MayBeTraced(*loop)) [[unlikely]] {
      return TellAnyway<Message>(nullptr, std::forward<M>(message));
    }
    return internal::SendFromLoop<Message>(
        *loop, id(), TypeOf<Message>(), Envelope::BytesFor<Message>(),
        Instant::Infinite(), std::forward<M>(message), [](Envelope*) {});
  }

  template <typename M>
  Delivery TellWith(const TellOptions& options, M&& message) const {
    return TellAnyway<Checked<M>>(&options, std::forward<M>(message));
  }

  // Waits for room if the mailbox is full. Resolves to OK or NotFound.
  template <typename M>
  Sending Send(M&& message) const {
    using Message = Checked<M>;
    Loop* loop = internal::LoopOf(address_.bus());
    if (loop == nullptr || loop->turn().cell == nullptr) {
      return Sending(loop, nullptr, NotAnActor("Send"));
    }
    Envelope* e = internal::Fill<Message>(
        loop->NewEnvelope(Envelope::BytesFor<Message>(),
                          Head<Message>(loop, Instant::Infinite())),
        std::forward<M>(message));
    internal::SetTrace({}, loop, e);
    return Sending(loop, e, absl::OkStatus());
  }

  // Resolves to what On() returns; errors as listed in ask.h. The deadline is
  // the sooner of `timeout` from now and that of the message in hand.
  template <typename M>
  Asking<ReplyTo<M>> Ask(M&& message, absl::Duration timeout) const {
    using Message = Checked<M>;
    using Operation = Asking<ReplyTo<Message>>;
    BusState* bus = address_.bus();
    Loop* loop = internal::LoopOf(bus);
    if (!address_) {
      return Operation(loop, absl::NotFoundError("this Ref names nobody"));
    }
    if (loop == nullptr || loop->turn().cell == nullptr) {
      return Operation(loop, NotAnActor("Ask"));
    }
    absl::StatusOr<Context::Ptr> askers = internal::AskersOf(*loop, id());
    if (!askers.ok()) return Operation(loop, askers.status());
    Instant deadline = loop->clock().After(timeout);
    if (const Envelope* in_hand = loop->turn().envelope) {
      deadline = std::min(deadline, in_hand->deadline);
    }
    return Operation(loop, id(), deadline, [&](uint64_t ask_id) {
      const auto finish = [loop, ask_id, &askers](Envelope* e) {
        internal::MarkAsAsk(e, *loop, ask_id);
        e->SetContext(*std::move(askers));
      };
      const Delivery delivery = internal::SendFromLoop<Message>(
          *loop, id(), TypeOf<Message>(), BytesToAsk<Message>(), deadline,
          std::forward<M>(message), finish);
      return delivery == Delivery::kAccepted
                 ? absl::OkStatus()
                 : DeliveryStatus(delivery, address_.ToString());
    });
  }

  // Blocks the calling thread until the reply or `timeout`. Errors as listed in
  // ask.h; FailedPrecondition: the thread is a loop's.
  template <typename M>
  ReplyTo<M> AskAndWait(M&& message, absl::Duration timeout) const {
    using Message = Checked<M>;
    using Waiting = internal::BlockingAsk<ReplyTo<Message>>;
    if (Loop::Current() != nullptr) {
      return absl::FailedPreconditionError(
          "AskAndWait would block a loop; co_await Ask() instead");
    }
    BusState* bus = address_.bus();
    const Delivery place = internal::Admit(bus, nullptr, id());
    if (place != Delivery::kAccepted) {
      return DeliveryStatus(place, address_.ToString());
    }
    Envelope* e = internal::Fill<Message>(
        EnvelopePool::GetFromHeap(
            BytesToAsk<Message>(),
            Head<Message>(nullptr, bus->clock().Now() + timeout)),
        std::forward<M>(message));
    auto waiting = RefPtr<Waiting>::Adopt(new Waiting);
    e->marks |= Envelope::kAskedExternally;
    e->external = RefPtr<Waiting>(waiting).Leak();
    if (internal::Post(*bus, nullptr, e) != Delivery::kAccepted) {
      RefPtr<ExternalAsk>::Adopt(e->external);
      e->type->drop(e);
      EnvelopePool::PutToHeap(e);
      return DeliveryStatus(Delivery::kGone, address_.ToString());
    }
    auto reply = waiting->Wait(timeout);
    if (reply.has_value()) return *std::move(reply);
    return absl::DeadlineExceededError(
        absl::StrCat(address_.ToString(), " did not reply within ",
                     absl::FormatDuration(timeout)));
  }

  // As Address::Stop.
  Delivery Stop(bool drain = false) const { return address_.Stop(drain); }

  friend bool operator==(const Ref& a, const Ref& b) {
    return a.address_ == b.address_;
  }

 private:
  friend class PipeReader;

  // Tells without taking a place, behind what was sent before: for a message
  // that is the last of its kind, such as the end of an input. It never waits
  // for those whom it would free.
  template <typename M>
  void TellLast(M&& message) const {
    using Message = Checked<M>;
    BusState* bus = address_.bus();
    if (bus == nullptr) return;
    Loop* loop = internal::LoopOf(bus);
    Envelope::Head head = Head<Message>(loop, Instant::Infinite());
    head.marks = Envelope::kDataLane;
    Envelope* e = internal::Fill<Message>(
        internal::NewEnvelope(loop, Envelope::BytesFor<Message>(), head),
        std::forward<M>(message));
    internal::PostLast(*bus, loop, e);
  }

  // From any thread; `options` may be null.
  template <typename Message, typename M>
  ABSL_ATTRIBUTE_NOINLINE Delivery TellAnyway(const TellOptions* options,
                                              M&& message) const {
    BusState* bus = address_.bus();
    Loop* loop = internal::LoopOf(bus);
    const Delivery admitted = internal::Admit(bus, loop, id());
    if (admitted != Delivery::kAccepted) return admitted;
    const Instant deadline =
        options != nullptr ? options->deadline : Instant::Infinite();
    Envelope* e = internal::Fill<Message>(
        internal::NewEnvelope(loop, Envelope::BytesFor<Message>(),
                              Head<Message>(loop, deadline)),
        std::forward<M>(message));
    internal::SetTrace(options != nullptr ? options->trace : TraceContext(),
                       loop, e);
    return internal::Post(*bus, loop, e);
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

  static absl::Status NotAnActor(absl::string_view verb) {
    return absl::FailedPreconditionError(absl::StrCat(
        verb,
        " works in the handlers of the same bus's actors only; a plain "
        "thread uses Tell or AskAndWait"));
  }

  Address address_;
  [[no_unique_address]] Target target_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_REF_H_
