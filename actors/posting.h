// SPDX-License-Identifier: Apache-2.0
//
// Posting: the steps that every send shares: take a place, get an envelope from
// the right pool, say who sends it and on whose behalf, queue it.
//
// Any thread; inside actors/ only.

#ifndef TROLLEY_ACTORS_POSTING_H_
#define TROLLEY_ACTORS_POSTING_H_

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

// What follows from the message in hand: its trace.
Context::Ptr TraceOfChain(const Context* context);
inline Context::Ptr TraceOf(const Envelope* in_hand) {
  if (in_hand == nullptr || !in_hand->context) [[likely]] {
    return nullptr;
  }
  return TraceOfChain(in_hand->context.get());
}
// For an ask: its trace and everyone who waits for the asker.
// FailedPrecondition: `target` is among them, so the ask could never be
// answered; the message is the path. ResourceExhausted: kMaxDepth askers.
absl::StatusOr<Context::Ptr> AskersOf(Loop& loop, ActorId target);

// An envelope for a data message, complete but for its payload and context;
// `loop` is null on a plain thread.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline Envelope* NewEnvelope(
    Loop* loop, size_t bytes, ActorId target, const MessageType* type,
    Instant deadline) {
  constexpr uint64_t kMarks = Envelope::kDataLane | Envelope::kHoldsCredit;
  if (loop == nullptr) {
    return EnvelopePool::GetFromHeap(bytes, {.type = type,
                                             .target = target,
                                             .deadline = deadline,
                                             .marks = kMarks});
  }
  const Cell* self = loop->turn().cell;
  return loop->NewEnvelope(bytes,
                           {.type = type,
                            .target = target,
                            .sender = self != nullptr ? self->self : ActorId(),
                            .deadline = deadline,
                            .marks = kMarks});
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

inline Delivery Admit(BusState* bus, Loop* loop, ActorId target) {
  if (!target) return Delivery::kGone;
  return loop != nullptr ? loop->Admit(target).delivery : bus->Admit(target);
}

// Queues an admitted envelope. Anything but kAccepted: it was dropped and freed
// (an ask's envelope is left to the caller).
Delivery PostFromOutside(BusState& bus, Envelope* e);
inline Delivery Post(BusState& bus, Loop* loop, Envelope* e) {
  if (loop == nullptr) return PostFromOutside(bus, e);
  loop->Send(e);
  return Delivery::kAccepted;
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_POSTING_H_
