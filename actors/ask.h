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
// Ends:      resolves once: with the reply, with what else the handler
//            returned, or with an error of the list below. Destroyed earlier,
//            it is forgotten, its reply is dropped, and the handler is
//            cancelled if it waits.
//
//   DeadlineExceeded    there was no reply by the deadline
//   NotFound            the actor has ended, or ends before it replies
//   ResourceExhausted   its mailbox is full
//   ResourceExhausted   the loop of the asker has too many asks under way
//   Unavailable         the bus is shutting down
//   FailedPrecondition  a cycle of asks; the text is the path
//   FailedPrecondition  no actor asked
//   Internal            the actor threw

#ifndef TROLLEY_ACTORS_ASK_H_
#define TROLLEY_ACTORS_ASK_H_

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/bus/loop.h"
#include "trolley/poller/cxx20.h"

namespace trolley {
namespace internal {

// The part of waiting for a reply that does not depend on its type.
class ReplyAwaiter : public PendingReply, public Timer {
 public:
  // Lets the coroutine wait until Wake().
  void await_suspend(std::coroutine_handle<> at) {
    at_ = at;
    handler_ = loop_->turn().handler;
    ++handler_->waiting_for_replies;
  }

 protected:
  explicit ReplyAwaiter(Loop* loop) : loop_(loop) {}
  ~ReplyAwaiter() override {
    if (ask_id_ == 0) return;
    loop_->reply_slots().Take(ask_id_);
    // The asked actor need not go on.
    if (asked_) loop_->CancelAsk(asked_, {asker_.word(), ask_id_});
  }
  // Who asks whom, once the ask is on its way.
  void set_ends(ActorId asker, ActorId asked) {
    asker_ = asker;
    asked_ = asked;
  }

  // Reserves the slot. False: there is none left.
  bool Reserve() {
    ask_id_ = loop_->reply_slots().Add(this);
    return ask_id_ != 0;
  }
  uint64_t ask_id() const { return ask_id_; }
  Loop* loop() const { return loop_; }

  // The slot is free again; called by whatever resolves the ask.
  void Settle() {
    if (ask_id_ != 0) loop_->reply_slots().Take(std::exchange(ask_id_, 0));
    Cancel();
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
  uint64_t ask_id_ = 0;
  ActorId asker_, asked_;
  SuspendedHandler* handler_ = nullptr;
  std::coroutine_handle<> at_;
};

}  // namespace internal

template <typename Reply>
class [[nodiscard]] Asking final : public internal::ReplyAwaiter {
 public:
  // Ref::Ask makes these. Nothing was sent: resolves to `error`.
  Asking(Loop* loop, absl::Status error)
      : ReplyAwaiter(loop), reply_(std::move(error)) {}

  // `send` sends the ask with the reply slot it is given, or says why not.
  template <typename Send>
  Asking(Loop* loop, ActorId asked, Instant deadline, Send send)
      : ReplyAwaiter(loop) {
    if (!Reserve()) {
      reply_ = absl::ResourceExhaustedError(
          "this loop has as many asks under way as its "
          "LoopOptions::max_pending_asks allows");
      return;
    }
    if (absl::Status sent = send(ask_id()); !sent.ok()) {
      Settle();
      reply_ = std::move(sent);
      return;
    }
    set_ends(loop->turn().self, asked);
    loop->timers().Set(*this, deadline);
  }

  bool await_ready() const { return reply_.has_value(); }
  using ReplyAwaiter::await_suspend;
  Reply await_resume() { return *std::move(reply_); }

 private:
  void OnReply(Envelope* e) override {
    reply_ = std::move(e->payload<Reply>());
    e->type->drop(e);
    loop()->Free(e);
    Settle();
    Wake();
  }

  void OnTimer() override {
    loop()->port().stats.expired_asks.Increment();
    reply_ = absl::DeadlineExceededError("no reply by the deadline of the ask");
    Settle();
    Wake();
  }

  std::optional<Reply> reply_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_ASK_H_
