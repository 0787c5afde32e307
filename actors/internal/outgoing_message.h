// SPDX-License-Identifier: Apache-2.0
//
// OutgoingMessage: one message from its sender to a mailbox. Every send of a
// user's message is made with it, in these steps:
//
//   OutgoingMessage out(bus, loop, target);     // null: from a plain thread
//   Delivery taken = out.TakeRoomAndBuild<M>(ops, bytes, deadline, args...);
//   if (taken != Delivery::kAccepted) return taken;
//   out.SetTrace(trace);                        // or what else goes with it
//   return out.Post();
//
// The room is a credit of the mailbox, and the bytes of the message if the
// mailbox has a bound in bytes.
//
// Post() or the destructor ends it. The destructor counts the send as refused,
// destroys the payload and gives the room back. So no sender has code for an
// exception of the message's constructor or for an early return.
//
// Most messages go a faster way: actors/internal/send_from_loop.h.
//
// Ownership: owns the message until it is posted. On the stack of the sender,
//            or part of a SendAwaiter.
// Threads:   the sender's.

#ifndef TROLLEY_ACTORS_INTERNAL_OUTGOING_MESSAGE_H_
#define TROLLEY_ACTORS_INTERNAL_OUTGOING_MESSAGE_H_

#include <utility>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/internal/built_from.h"
#include "trolley/actors/tell_options.h"
#include "trolley/bus/address.h"
#include "trolley/bus/loop/envelope_ptr.h"
#include "trolley/bus/loop/loop.h"
#include "trolley/bus/message/external_ask.h"

namespace trolley::internal {

// The loop whose thread this is, if it is one of `bus`; else null.
inline Loop* LoopOf(const BusState* bus) {
  Loop* loop = Loop::Current();
  return loop != nullptr && &loop->bus() == bus ? loop : nullptr;
}

// The message in hand has a trace, or actors wait for its answer.
inline bool HasContext(const Loop& loop) {
  const Envelope* in_hand = loop.current().envelope;
  return in_hand != nullptr && in_hand->context;
}

// Gives `envelope` a trace: `trace` if it is valid, else the trace of the
// message in hand of `loop`. `loop` is null on a plain thread.
void SetTraceOf(const TraceContext& trace, const Loop* loop,
                Envelope& envelope);

// For an ask by the running actor: the trace, and the actors that wait for it.
//
//   FailedPrecondition   `target` is one of those, so it could never answer;
//                        the text is the path
//   ResourceExhausted    more than CausalContext::kMaxDepth actors would wait
absl::StatusOr<CausalContext::Ptr> AskersOf(Loop& loop, ActorId target);

// The error of `verb` when the caller is no actor.
absl::Status NotAnActor(absl::string_view verb);

class OutgoingMessage {
 public:
  // `from`: as LoopOf(&bus).
  OutgoingMessage(BusState& bus, Loop* from, ActorId target)
      : bus_(&bus), from_(from), target_(target) {}
  OutgoingMessage(OutgoingMessage&& other) noexcept
      : bus_(other.bus_),
        from_(other.from_),
        target_(other.target_),
        envelope_(std::move(other.envelope_)),
        lease_(std::move(other.lease_)),
        needs_credit_(other.needs_credit_),
        has_credit_(std::exchange(other.has_credit_, false)),
        open_(std::exchange(other.open_, false)) {}
  OutgoingMessage& operator=(OutgoingMessage&&) = delete;
  ~OutgoingMessage() {
    if (open_) [[unlikely]] {
      Refuse();
    }
  }

  ActorId target() const { return target_; }
  // After Build().
  Envelope& envelope() { return *envelope_; }

  // kAccepted: the message has its credit and its bytes. Otherwise it has
  // neither, and the result says why: kFull, kGone or kDraining.
  Delivery TakeRoom(const MessageOps& ops, uint64_t bytes) {
    if (ops.count != nullptr && !TakeBytes(ops, bytes)) return Delivery::kFull;
    const Delivery taken = TakeCredit(ops);
    if (taken != Delivery::kAccepted) ReturnBytes();
    return taken;
  }
  // The same for a message that is built.
  Delivery TakeRoom() { return TakeRoom(*envelope_->ops, bytes()); }
  // What a message that is built counts for; 0: it is not counted.
  uint64_t bytes() {
    const MessageOps::Count count = envelope_->ops->count;
    return count != nullptr ? count(envelope_.get()).bytes : 0;
  }
  // The actor has granted a credit (CreditRequest). False: there is no room for
  // the bytes, and the credit was given back.
  bool SetCredit();
  // It needs no credit: it comes once, and must not be refused.
  void WithoutCredit() { needs_credit_ = false; }

  // TakeRoom() and, if that is kAccepted, Build(). If it is not, a message that
  // is the only argument is not moved from.
  template <typename M, typename... Args>
  Delivery TakeRoomAndBuild(const MessageOps* ops, size_t bytes,
                            Instant deadline, Args&&... args) {
    Delivery taken;
    if constexpr (!kCountsBytes<M>) {
      taken = TakeCredit(*ops);
    } else if (!target_ || bus_->BudgetOf(target_) == nullptr) [[likely]] {
      taken = TakeCredit(*ops);
    } else if constexpr (kIsWhole<M, Args...>) {
      taken = TakeRoom(*ops, MessageBytes<M>(args...));
    } else {
      M message = Envelope::Make<M>(std::forward<Args>(args)...);
      return TakeRoomAndBuild<M>(ops, bytes, deadline, std::move(message));
    }
    if (taken == Delivery::kAccepted) {
      Build<M>(ops, bytes, deadline, std::forward<Args>(args)...);
    }
    return taken;
  }

  // Builds the message. Throws what its constructor throws.
  template <typename M, typename... Args>
  void Build(const MessageOps* ops, size_t bytes, Instant deadline,
             Args&&... args) {
    NewEnvelope(*ops, bytes, deadline);
    envelope_->Emplace<M>(std::forward<Args>(args)...);
    envelope_->ops = ops;
  }
  // The same from its encoding. False: `bytes` do not parse.
  bool Parse(const WireMethod& method, Instant deadline,
             absl::string_view bytes) {
    NewEnvelope(*method.ops, method.envelope_bytes, deadline);
    if (!method.parse(envelope_.get(), bytes)) return false;
    envelope_->ops = method.ops;
    return true;
  }

  void SetTrace(const TraceContext& trace) {
    SetTraceOf(trace, from_, *envelope_);
  }
  // The reply goes to this slot of the sender's loop.
  void SetAskId(uint64_t ask_id) { MarkAsAsk(*envelope_, *from_, ask_id); }
  static void MarkAsAsk(Envelope& envelope, const Loop& from, uint64_t ask_id) {
    envelope.set_ask_id(ask_id);
    if (from.current().envelope == nullptr) {
      envelope.flags |= Envelope::kAskerGoesOn;
    }
  }
  // The reply goes to `asker`, which keeps a reference until then.
  void SetAsker(RefPtr<ExternalAsk> asker) {
    envelope_->flags |= Envelope::kAskedExternally;
    envelope_->external = std::move(asker).Leak();
  }

  // Sends it.
  //
  //   kAccepted   the mailbox has it, or will
  //   kGone       only from a plain thread: the loop of the target has ended.
  //               The message is destroyed, and counts as refused.
  Delivery Post() {
    open_ = false;
    if (lease_) [[unlikely]] {
      envelope_->ops->count(envelope_.get()).lease = std::move(lease_);
    }
    if (from_ == nullptr) return PostFromOutside();
    from_->router().CountSend(true);
    from_->router().Send(envelope_.release());
    return Delivery::kAccepted;
  }

  // Destroys the message and counts it as refused.
  void Refuse();
  // Destroys the message and counts nothing: the caller sends it another way,
  // or its bytes were no message.
  void Forget();

 private:
  void NewEnvelope(const MessageOps& ops, size_t bytes, Instant deadline) {
    const uint64_t lane =
        ops.urgent ? Envelope::kUrgentLane : Envelope::kDataLane;
    const Envelope::Head head = {
        .target = target_,
        .sender = from_ != nullptr ? from_->current().self : ActorId(),
        .deadline = deadline,
        .flags = needs_credit_ ? lane | Envelope::kHoldsCredit : lane};
    envelope_.reset(from_ != nullptr ? from_->router().NewEnvelope(bytes, head)
                                     : EnvelopePool::GetFromHeap(bytes, head));
  }
  Delivery PostFromOutside();
  Delivery TakeCredit(const MessageOps& ops) {
    const Delivery taken =
        !target_           ? Delivery::kGone
        : from_ == nullptr ? bus_->TakeCredit(target_, ops.urgent)
        : !ops.urgent      ? from_->router().TakeCredit(target_)
                           : from_->router().TakeUrgentCredit(target_);
    has_credit_ = taken == Delivery::kAccepted;
    return taken;
  }
  bool TakeBytes(const MessageOps& ops, uint64_t bytes);
  void ReturnBytes();

  // The only argument is an M.
  template <typename M, typename... Args>
  static constexpr bool kIsWhole =
      sizeof...(Args) == 1 &&
      (std::is_same_v<M, std::remove_cvref_t<Args>> && ...);

  BusState* bus_;
  Loop* from_;
  ActorId target_;
  EnvelopePtr envelope_;
  ByteLease lease_;
  bool needs_credit_ = true;
  bool has_credit_ = false;
  bool open_ = true;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_OUTGOING_MESSAGE_H_
