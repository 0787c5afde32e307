// SPDX-License-Identifier: Apache-2.0
//
// Posting: the steps that every send shares: take a place, get an envelope from
// the right pool, say who sends it and on whose behalf, queue it.
//
// Any thread; inside actors/ only.

#ifndef TROLLEY_ACTORS_POSTING_H_
#define TROLLEY_ACTORS_POSTING_H_

#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "trolley/bus/address.h"
#include "trolley/bus/loop.h"

namespace trolley::internal {

// The loop whose thread this is, if it is one of `bus`.
inline Loop* LoopOf(const BusState* bus) {
  Loop* loop = Loop::Current();
  return loop != nullptr && &loop->bus() == bus ? loop : nullptr;
}

// Whether the message in hand may hand a trace on.
inline bool MayBeTraced(const Loop& loop) {
  const Envelope* in_hand = loop.turn().envelope;
  return in_hand != nullptr && in_hand->context;
}
// Gives `to` what follows from the message in hand: its trace.
void PassTraceOn(const Loop& loop, Envelope* to);
// The same, unless its sender has chosen a `trace`; `loop` is null on a plain
// thread.
inline void SetTrace(const TraceContext& trace, const Loop* loop,
                     Envelope* to) {
  if (trace.valid()) {
    to->SetContext(Context::New(trace, ActorId(), nullptr));
  } else if (loop != nullptr && MayBeTraced(*loop)) {
    PassTraceOn(*loop, to);
  }
}
// For an ask: its trace and everyone who waits for the asker.
// FailedPrecondition: `target` is among them, so the ask could never be
// answered; the message is the path. ResourceExhausted: kMaxDepth askers.
absl::StatusOr<Context::Ptr> AskersOf(Loop& loop, ActorId target);

// What is said of a data message; `loop` is null on a plain thread.
inline Envelope::Head HeadOf(const Loop* loop, ActorId target,
                             const MessageType* type, Instant deadline) {
  return {.type = type,
          .target = target,
          .sender = loop != nullptr ? loop->turn().self : ActorId(),
          .deadline = deadline,
          .marks = Envelope::kDataLane | Envelope::kHoldsCredit};
}

// An envelope, complete but for its payload and context.
inline Envelope* NewEnvelope(Loop* loop, size_t bytes,
                             const Envelope::Head& head) {
  return loop != nullptr ? loop->NewEnvelope(bytes, head)
                         : EnvelopePool::GetFromHeap(bytes, head);
}

// What a message is built from: itself, or what its constructor or its members
// take.
template <typename Message, typename... Args>
concept BuiltFrom = requires(Args&&... args) {
  requires Envelope::kTakesMembers<Message, Args...>;
  Message{std::forward<Args>(args)...};
}
|| (!Envelope::kTakesMembers<Message, Args...> &&
    std::is_constructible_v<Message, Args...>);

// Compiles if it is.
template <typename Message, typename... Args>
struct MessageFrom {
  static_assert(BuiltFrom<Message, Args...>,
                "the message cannot be built from these arguments; the types "
                "are the arguments of MessageFrom<Message, Arguments...>");
};

template <typename Message, typename... Args>
constexpr bool BuildsWithoutThrowing() {
  if constexpr (Envelope::kTakesMembers<Message, Args...>) {
    return noexcept(Message{std::declval<Args>()...});
  } else {
    return std::is_nothrow_constructible_v<Message, Args...>;
  }
}

// Builds the message in its envelope. If it throws, so does this, after
// `undo()`.
template <typename Message, typename Undo, typename... Args>
Envelope* Fill(Envelope* e, Undo undo, Args&&... args) {
  if constexpr (BuildsWithoutThrowing<Message, Args...>()) {
    e->Emplace<Message>(std::forward<Args>(args)...);
  } else {
    try {
      e->Emplace<Message>(std::forward<Args>(args)...);
    } catch (...) {
      undo();
      throw;
    }
  }
  return e;
}

// The message for which a place was taken was not built: the envelope and the
// place go back, and the attempt counts as refused. `loop` is null on a plain
// thread.
void Unsend(BusState& bus, Loop* loop, Envelope* e);

// The long way of SendFromLoop().
template <typename Message, typename Finish, typename... Args>
ABSL_ATTRIBUTE_NOINLINE Delivery SendFromLoopAnywhere(
    Loop& loop, ActorId target, const MessageType* type, size_t bytes,
    Instant deadline, Finish finish, Args&&... args) {
  const Delivery delivery = loop.TakePlace(target);
  if (delivery != Delivery::kAccepted) {
    loop.port().ledger.CountSend(false);
    return delivery;
  }
  Envelope* e = loop.NewEnvelope(bytes, HeadOf(&loop, target, type, deadline));
  Fill<Message>(
      e, [&] { Unsend(loop.bus(), &loop, e); }, std::forward<Args>(args)...);
  loop.port().ledger.CountSend(true);
  finish(e);
  loop.Send(e);
  return Delivery::kAccepted;
}

// Makes an envelope, which finish(e) completes, and sends it. What stays on the
// loop is spelled out where it is sent, without a call; the rest is one, and so
// is what may throw, as it counts when it is built and not before.
template <typename Message, typename Finish, typename... Args>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline Delivery SendFromLoop(
    Loop& loop, ActorId target, const MessageType* type, size_t bytes,
    Instant deadline, Finish finish, Args&&... args) {
  if constexpr (BuildsWithoutThrowing<Message, Args...>()) {
    const auto [cell, e] =
        loop.AdmitHere(bytes, {type, target, loop.turn().self, deadline});
    if (e != nullptr) [[likely]] {
      e->Emplace<Message>(std::forward<Args>(args)...);
      finish(e);
      loop.Queue(*cell, e);
      return Delivery::kAccepted;
    }
  }
  return SendFromLoopAnywhere<Message>(loop, target, type, bytes, deadline,
                                       finish, std::forward<Args>(args)...);
}

inline void FreeEnvelope(Loop* loop, Envelope* e) {
  if (loop != nullptr) {
    loop->Free(e);
  } else {
    EnvelopePool::PutToHeap(e);
  }
}

// Makes an ask of it, which waits in reply slot `ask_id`.
inline void MarkAsAsk(Envelope* e, const Loop& loop, uint64_t ask_id) {
  e->set_ask_id(ask_id);
  if (loop.turn().envelope == nullptr) e->marks |= Envelope::kAskerGoesOn;
}

// A message of a plain thread, which has taken its place.
template <typename Message, typename... Args>
Envelope* MakeOutside(BusState& bus, size_t bytes, const Envelope::Head& head,
                      Args&&... args) {
  Envelope* e = EnvelopePool::GetFromHeap(bytes, head);
  return Fill<Message>(
      e, [&] { Unsend(bus, nullptr, e); }, std::forward<Args>(args)...);
}

inline Delivery Admit(BusState* bus, Loop* loop, ActorId target) {
  if (!target) return Delivery::kGone;
  return loop != nullptr ? loop->Admit(target) : bus->Admit(target);
}

// Whether a tell or send of `type` to `target` would go nowhere, because the
// link that it would leave by is down.
inline bool LinkIsDown(BusState& bus, const MessageType& type, ActorId target) {
  return type.leads_over_a_link && !bus.IsConnected(target);
}
// What such a tell returns; counts it.
Delivery NotConnected(BusState& bus, Loop* loop);

// Queues an admitted envelope. Anything but kAccepted: it was dropped and freed
// (an ask's envelope is left to the caller).
Delivery PostFromOutside(BusState& bus, Envelope* e);
inline Delivery Post(BusState& bus, Loop* loop, Envelope* e) {
  if (loop == nullptr) return PostFromOutside(bus, e);
  loop->Send(e);
  return Delivery::kAccepted;
}

// Queues an envelope that has no place and needs none. Counted as accepted.
void PostLast(BusState& bus, Loop* loop, Envelope* e);

// Any thread. Sends without taking a place, behind what was sent before: for a
// message that is the last of its kind, such as the end of an input. It never
// waits for those that it would free.
template <typename M>
void SendLast(const Address& to, const MessageType* type, M message) {
  BusState* bus = to.bus();
  if (bus == nullptr) return;
  Loop* loop = LoopOf(bus);
  Envelope::Head head = HeadOf(loop, to.id(), type, Instant::Infinite());
  head.marks = Envelope::kDataLane;
  Envelope* e = NewEnvelope(loop, Envelope::BytesFor<M>(), head);
  Fill<M>(
      e, [&] { FreeEnvelope(loop, e); }, std::move(message));
  PostLast(*bus, loop, e);
}

// What a `verb` resolves to that is no actor's to use.
absl::Status NotAnActor(absl::string_view verb);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_POSTING_H_
