// SPDX-License-Identifier: Apache-2.0
//
// AskAwaiter: an ask that was sent and waits for its reply. Ref::Ask() makes
// it; the actor that asks awaits it once.
//
//   auto rate = rates_.Ask(GetRate{"EUR"}, absl::Seconds(1));
//   auto limit = limits_.Ask(GetLimit{}, absl::Seconds(1));
//   Use(co_await rate, co_await limit);   // both were sent before
//
// It resolves to what On() returns, or to an error:
//
//   code                when
//   DeadlineExceeded    no reply has come by the deadline
//   Internal            the handler of this message threw; the actor has ended
//   NotFound            the actor had ended, or ended before it came to this
//                       message; the text says why
//   ResourceExhausted   the mailbox is full; this loop has
//                       LoopOptions::max_pending_asks waiting; the actor has
//                       too many suspended asks; or more than kMostAskers
//                       actors wait for one another (actors/wire.h)
//   Unavailable         the link to the actor's process is down; a plain thread
//                       asks while the bus shuts down
//   FailedPrecondition  a cycle of asks, the text is its path; awaited twice;
//                       or asked by no actor
//   any                 On() returned it
//
// Ownership: the actor's; mostly in the coroutine's frame. It can be moved
//            until it is awaited, as into a std::vector. g++ 12 cannot await
//            `asks[i]`; give it a name: auto& ask = asks[i]; co_await ask.
// Threads:   loop thread only.
// Bounds:    LoopOptions::max_pending_asks.
// Ends:      it resolves once. Destroyed before that, its reply is dropped when
//            it comes, and the handler is cancelled if it is suspended.

#ifndef TROLLEY_ACTORS_ASK_H_
#define TROLLEY_ACTORS_ASK_H_

#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/internal/misuse.h"
#include "trolley/actors/internal/payload_guard.h"
#include "trolley/bus/loop/envelope_ptr.h"
#include "trolley/bus/loop/loop.h"
#include "trolley/poller/cxx20.h"

namespace trolley {
namespace internal {

// The deadline of the message in hand; infinite if there is none. An ask that
// its handler waits for ends then at the latest. A handler that was told by a
// CancelToken has until the end of its grace.
inline Instant DeadlineInHand(const Loop& loop) {
  const Envelope* in_hand = loop.current().envelope;
  const SuspendedHandler* handler = loop.current().handler;
  if (handler != nullptr && handler->listener != nullptr &&
      handler->listener->told()) {
    return handler->listener->cancel_at();
  }
  return in_hand != nullptr ? in_hand->deadline : Instant::Infinite();
}

// The part that asks and sends share: a reply slot, and a coroutine that waits.
class ReplyAwaiter : private PendingReply {
 public:
  ReplyAwaiter& operator=(ReplyAwaiter&&) = delete;

  // Lets the coroutine wait until Wake().
  void await_suspend(std::coroutine_handle<> at) {
    handler_ = &HandlerInHand(loop_, "co_await of an ask or a send", actor_);
    at_ = at;
  }

 protected:
  // `loop`: null on a thread that runs no loop of the bus.
  explicit ReplyAwaiter(Loop* loop)
      : loop_(loop),
        actor_(loop != nullptr ? loop->current().self : ActorId()) {}
  // `other` must not be awaited; it waits for nothing from then on.
  ReplyAwaiter(ReplyAwaiter&& other)
      : loop_(other.loop_), actor_(other.actor_) {
    if (other.waits()) ThrowMisuse("an ask that is awaited was moved");
    ask_id_ = std::exchange(other.ask_id_, 0);
    if (ask_id_ != 0) loop_->router().reply_slots().Replace(ask_id_, this);
  }
  ~ReplyAwaiter() {
    if (ask_id_ != 0) Settle();
  }

  // Reserves the slot. False: there is none left.
  bool Reserve() {
    ask_id_ = loop_->router().reply_slots().Add(this);
    return ask_id_ != 0;
  }
  ActorId asker() const { return actor_; }
  uint64_t ask_id() const { return ask_id_; }
  Loop* loop() const { return loop_; }
  // A coroutine waits.
  bool waits() const { return at_ != nullptr; }

  // Frees the slot. Called when the ask resolves.
  void Settle() {
    if (ask_id_ != 0)
      loop_->router().reply_slots().Take(std::exchange(ask_id_, 0));
  }

  // Resumes the coroutine if it waits. Call it last: it may destroy this.
  void Wake() {
    if (!at_) return;
    loop_->coroutines().Resume(*handler_, std::exchange(at_, {}));
  }

 private:
  Loop* const loop_;
  const ActorId actor_;
  uint64_t ask_id_ = 0;
  SuspendedHandler* handler_ = nullptr;
  std::coroutine_handle<> at_;
};

// The part of an ask that does not depend on the type of its reply.
class AskAwaiterBase : public ReplyAwaiter, private Timer {
 public:
  bool await_ready() const { return resolved_ || waits(); }

  // If no reply has come, the ask resolves to `why`; the coroutine goes on in a
  // later turn. A later reply is dropped. The handler is cancelled if it is
  // suspended.
  void GiveUp(absl::Status why) {
    if (resolved_) return;
    CancelAsked();
    Fail(std::move(why));
    deadline_ = loop()->Now();
    loop()->timers().Set(*this, deadline_);
  }

 protected:
  // Nothing was sent: resolves to `error`.
  AskAwaiterBase(Loop* loop, absl::Status error)
      : ReplyAwaiter(loop), error_(std::move(error)), resolved_(true) {}
  // `send` gets the reply slot, and sends the ask or says why it cannot. The
  // deadline is `within` from now.
  template <typename Send>
  AskAwaiterBase(Loop* loop, ActorId asked, Instant deadline,
                 absl::Duration within, Send send)
      : ReplyAwaiter(loop),
        asked_(asked),
        deadline_(deadline),
        within_(within) {
    absl::Status sent = Reserve()
                            ? send(ask_id())
                            : absl::ResourceExhaustedError(
                                  "this loop has as many asks under way as its "
                                  "LoopOptions::max_pending_asks allows");
    if (sent.ok()) {
      loop->timers().Set(*this, deadline);
    } else {
      Fail(std::move(sent));
    }
  }
  AskAwaiterBase(AskAwaiterBase&& other)
      : ReplyAwaiter(std::move(other)),
        asked_(other.asked_),
        deadline_(other.deadline_),
        within_(other.within_),
        reply_(std::move(other.reply_)),
        error_(std::exchange(other.error_, absl::OkStatus())),
        resolved_(std::exchange(other.resolved_, true)) {
    if (!other.armed()) return;
    other.Timer::Cancel();
    loop()->timers().Set(*this, deadline_);
  }
  ~AskAwaiterBase() override { CancelAsked(); }

  // Null: no reply has come; TakeError() says why.
  EnvelopePtr TakeReply() { return std::move(reply_); }
  absl::Status TakeError() {
    if (!waits() && !error_.ok()) {
      return std::exchange(error_, absl::OkStatus());
    }
    return absl::FailedPreconditionError(
        "an ask is awaited once, and not after it was moved from");
  }

  bool resolved() const { return resolved_; }
  absl::Duration within() const { return within_; }
  void Fail(absl::Status error) {
    Settle();
    Timer::Cancel();
    error_ = std::move(error);
    resolved_ = true;
  }
  // The reply stays in its envelope until await_resume().
  void OnReply(Envelope* e) override {
    Settle();
    Timer::Cancel();
    reply_.reset(e);
    resolved_ = true;
    Wake();
  }
  void OnTimer() override {
    if (!resolved_) {
      loop()->inbox().stats.expired_asks.Increment();
      Fail(loop()->bus().NoReplyWithin(asked_, within_));
    }
    Wake();
  }

 private:
  // Tells the asked actor that no one waits for its reply.
  void CancelAsked() {
    if (ask_id() != 0)
      loop()->router().CancelAsk(asked_, {asker().word(), ask_id()});
  }

  const ActorId asked_;
  Instant deadline_;  // of the timer
  const absl::Duration within_;
  EnvelopePtr reply_;
  absl::Status error_;
  bool resolved_ = false;
};

}  // namespace internal

template <typename Reply>
class [[nodiscard]] AskAwaiter : public internal::AskAwaiterBase {
 public:
  // Ref::Ask makes these.
  AskAwaiter(internal::Loop* loop, absl::Status error)
      : AskAwaiterBase(loop, std::move(error)) {}
  template <typename Send>
  AskAwaiter(internal::Loop* loop, ActorId asked, Instant deadline,
             absl::Duration within, Send send)
      : AskAwaiterBase(loop, asked, deadline, within, std::move(send)) {}

  // Throws what the reply throws when it is moved.
  Reply await_resume() {
    const internal::EnvelopePtr reply = TakeReply();
    if (reply == nullptr) return TakeError();
    return internal::MoveOut(reply->template payload<Reply>());
  }
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_ASK_H_
