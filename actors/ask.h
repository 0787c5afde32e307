// SPDX-License-Identifier: Apache-2.0
//
// Asking: an ask on its way. Made by Ref::Ask, which has sent the message by
// then; awaited once, by the actor that asked.
//
//   auto rate = rates_.Ask(GetRate{"EUR"}, absl::Seconds(1));    // both are
//   auto limit = limits_.Ask(GetLimit{}, absl::Seconds(1));      // under way
//   use(co_await rate, co_await limit);
//
// Ownership: lives in the coroutine's frame; cannot be moved.
// Threads:   loop thread only.
// Bounds:    LoopOptions::max_pending_asks.
// Ends:      resolves once, with the reply, with what the handler returned, or
//            with an error of the table below. To await it again, or from two
//            coroutines, is a FailedPrecondition. Destroyed before it resolves,
//            it is forgotten, its reply is dropped, and the handler is
//            cancelled if it waits.
//
//   code                when
//   DeadlineExceeded    no reply by the deadline
//   NotFound            the actor has ended, or ends before it replies
//   ResourceExhausted   its mailbox is full; or this loop has too many asks
//   Unavailable         the bus is shutting down
//   FailedPrecondition  a cycle of asks (the text is the path); not asked by an
//                       actor
//   Internal            the actor threw

#ifndef TROLLEY_ACTORS_ASK_H_
#define TROLLEY_ACTORS_ASK_H_

#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/misuse.h"
#include "trolley/actors/payload_owner.h"
#include "trolley/bus/loop.h"
#include "trolley/poller/cxx20.h"

namespace trolley {
namespace internal {

// The part of an ask or a send that holds a reply slot for its coroutine.
class ReplyAwaiter : private PendingReply {
 public:
  ReplyAwaiter(const ReplyAwaiter&) = delete;
  ReplyAwaiter& operator=(const ReplyAwaiter&) = delete;

  // Lets the coroutine wait until Wake().
  void await_suspend(std::coroutine_handle<> at) {
    handler_ = &HandlerInHand(loop_, "co_await of an ask or a send", actor_);
    at_ = at;
    ++handler_->waiting_for_replies;
  }

 protected:
  // `loop` is null on a thread that is no loop of the bus.
  explicit ReplyAwaiter(Loop* loop)
      : loop_(loop), actor_(loop != nullptr ? loop->turn().self : ActorId()) {}
  ~ReplyAwaiter() {
    if (ask_id_ != 0) Settle();
  }

  // Reserves the slot. False: there is none left.
  bool Reserve() {
    ask_id_ = loop_->reply_slots().Add(this);
    return ask_id_ != 0;
  }
  ActorId asker() const { return actor_; }
  uint64_t ask_id() const { return ask_id_; }
  Loop* loop() const { return loop_; }
  // A coroutine waits.
  bool waits() const { return at_ != nullptr; }

  // The slot is free again; called by whatever resolves the ask.
  void Settle() {
    if (ask_id_ != 0) loop_->reply_slots().Take(std::exchange(ask_id_, 0));
  }

  // Resumes the coroutine, if it waits by now. The last thing to do: it may
  // destroy this.
  void Wake() {
    if (!at_) return;
    --handler_->waiting_for_replies;
    loop_->Resume(*handler_, std::exchange(at_, {}));
  }

 private:
  Loop* const loop_;
  const ActorId actor_;
  uint64_t ask_id_ = 0;
  SuspendedHandler* handler_ = nullptr;
  std::coroutine_handle<> at_;
};

// The part of an ask that does not depend on the type of its reply.
class AskAwaiter : public ReplyAwaiter, private Timer {
 public:
  bool await_ready() const { return resolved_ || waits(); }

  // If there is no reply yet, it resolves to `why`, and the coroutine goes on
  // in a later turn. A reply that comes is dropped. The handler is cancelled if
  // it waits.
  void GiveUp(absl::Status why) {
    if (resolved_) return;
    CancelAsked();
    Fail(std::move(why));
    loop()->timers().Set(*this, loop()->Now());
  }

 protected:
  // Nothing was sent: resolves to `error`.
  AskAwaiter(Loop* loop, absl::Status error)
      : ReplyAwaiter(loop), error_(std::move(error)), resolved_(true) {}
  // `send` sends the ask with the reply slot it is given, or says why not.
  template <typename Send>
  // The deadline is `within` from now.
  AskAwaiter(Loop* loop, ActorId asked, Instant deadline, absl::Duration within,
             Send send)
      : ReplyAwaiter(loop), asked_(asked), within_(within) {
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
  ~AskAwaiter() override {
    CancelAsked();
    if (reply_ != nullptr) DropReply();
  }

  // Null: there is none, and TakeError() says why.
  Envelope* reply() const { return reply_; }
  void DropReply() {
    Envelope* e = std::exchange(reply_, nullptr);
    e->type->drop(e);
    loop()->Free(e);
  }
  absl::Status TakeError() {
    if (!waits() && !error_.ok()) {
      return std::exchange(error_, absl::OkStatus());
    }
    return absl::FailedPreconditionError("an ask is awaited once");
  }

 private:
  void Fail(absl::Status error) {
    Settle();
    error_ = std::move(error);
    resolved_ = true;
  }
  // It stays in its envelope until it is wanted.
  void OnReply(Envelope* e) override {
    Settle();
    Timer::Cancel();
    reply_ = e;
    resolved_ = true;
    Wake();
  }
  // The asked actor need not go on.
  void CancelAsked() {
    if (ask_id() != 0) loop()->CancelAsk(asked_, {asker().word(), ask_id()});
  }
  void OnTimer() override {
    if (!resolved_) {
      loop()->port().stats.expired_asks.Increment();
      Fail(loop()->bus().NoReplyWithin(asked_, within_));
    }
    Wake();
  }

  const ActorId asked_;
  const absl::Duration within_;
  Envelope* reply_ = nullptr;
  absl::Status error_;
  bool resolved_ = false;
};

}  // namespace internal

template <typename Reply>
class [[nodiscard]] Asking : public internal::AskAwaiter {
 public:
  // Ref::Ask makes these.
  Asking(Loop* loop, absl::Status error) : AskAwaiter(loop, std::move(error)) {}
  template <typename Send>
  Asking(Loop* loop, ActorId asked, Instant deadline, absl::Duration within,
         Send send)
      : AskAwaiter(loop, asked, deadline, within, std::move(send)) {}

  // Throws what the reply throws when it is moved.
  Reply await_resume() {
    if (reply() == nullptr) return TakeError();
    struct Dropper {
      explicit Dropper(Asking& ask) : asking(ask) {}
      ~Dropper() { asking.DropReply(); }
      Asking& asking;
    } dropper(*this);
    return internal::MoveOut(reply()->template payload<Reply>());
  }
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_ASK_H_
