// SPDX-License-Identifier: Apache-2.0
//
// CancelToken: tells a handler that its message has become useless, and gives
// it time to end in its own way. A message is useless when its deadline has
// passed or its asker no longer waits. Without a token the loop cancels the
// suspended handler then: it destroys its coroutines.
//
//   trolley::Task<absl::Status> On(Backup m) {
//     trolley::CancelToken cancelled(context(), absl::Seconds(2));
//     for (const Table& table : m.tables) {
//       if (cancelled.requested()) co_return co_await RollBack();
//       co_await Copy(table);
//     }
//     co_return absl::OkStatus();
//   }
//
// A coroutine may also wait for it: `co_await cancelled.Requested()`.
//
// The asks of a handler are cancelled with it. So the end of an asker reaches
// each handler of a chain of asks: a handler with a token is told, and those
// that it has asked are cancelled when it drops its asks. After the handler was
// told, its new asks may last for the rest of the grace.
//
// Ref::Ask() and AskAndWait() end at their deadline, whatever the handler does.
// Ref::AskThen() has its reply when the handler has ended, so up to `grace`
// later.
//
// Ownership: lives in the frame of a coroutine handler; cannot be moved.
// Threads:   loop thread only.
// Bounds:    one for each handler. The message holds its credit until the
//            handler has ended.
// Ends:      with its scope. When `grace` is over, or the actor ends, the loop
//            cancels the handler.

#ifndef TROLLEY_ACTORS_CANCEL_TOKEN_H_
#define TROLLEY_ACTORS_CANCEL_TOKEN_H_

#include <utility>

#include "absl/time/time.h"
#include "trolley/actors/context.h"
#include "trolley/actors/internal/misuse.h"
#include "trolley/bus/loop/loop.h"
#include "trolley/bus/mailbox/suspended_handler.h"
#include "trolley/bus/timer.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

class CancelToken final : private internal::CancelListener, private Timer {
 public:
  // `grace`: how long the handler may go on after it was told. Durations as
  // poller/instant.h; an infinite one lasts until the handler returns. In a
  // background task the token is never told, because a task has no message. A
  // token where no coroutine handler runs, or a second one of a handler, ends
  // the actor, with the reason in the log.
  CancelToken(const ActorContext& context, absl::Duration grace)
      : loop_(ContextAccess::loop(context)),
        grace_(grace),
        handler_(internal::HandlerInHand(&loop_, "CancelToken")) {
    if (handler_.listener != nullptr) {
      internal::ThrowMisuse("a handler has one CancelToken at a time");
    }
    handler_.listener = this;
  }
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;
  ~CancelToken() override { handler_.listener = nullptr; }

  // True: the handler was told. The loop tells it while it is suspended.
  bool requested() const { return told(); }

  // co_await token.Requested(): goes on when the handler has been told. Only a
  // coroutine of that handler may wait, and one at a time; another one ends the
  // actor, with the reason in the log.
  class [[nodiscard]] Awaiter {
   public:
    explicit Awaiter(CancelToken& token) : token_(token) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() {
      if (at_ && token_.at_ == at_) token_.at_ = {};
    }
    bool await_ready() const { return token_.requested(); }
    void await_suspend(std::coroutine_handle<> at) {
      if (&internal::HandlerInHand(&token_.loop_, "Requested()") !=
          &token_.handler_) {
        internal::ThrowMisuse("a CancelToken is awaited by its own handler");
      }
      if (token_.at_) {
        internal::ThrowMisuse("two coroutines await one CancelToken");
      }
      token_.at_ = at_ = at;
    }
    void await_resume() { at_ = {}; }

   private:
    CancelToken& token_;
    std::coroutine_handle<> at_;  // waits here
  };
  Awaiter Requested() { return Awaiter(*this); }

 private:
  void OnCancel(Instant now) override {
    SetTold(now + grace_);
    // Not at once: the loop looks at the handlers of the actor.
    if (at_) loop_.timers().Set(*this, now);
  }
  void OnTimer() override {
    if (at_) loop_.coroutines().Resume(handler_, std::exchange(at_, {}));
  }

  internal::Loop& loop_;
  const absl::Duration grace_;
  internal::SuspendedHandler& handler_;
  std::coroutine_handle<> at_;  // waits in Requested()
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_CANCEL_TOKEN_H_
