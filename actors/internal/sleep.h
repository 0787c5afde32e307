// SPDX-License-Identifier: Apache-2.0
//
// SleepAwaiter: what Actor::Sleep and ActorContext::Sleep return.
//
//   co_await Sleep(absl::Milliseconds(20));
//
// Ownership: lives in the coroutine's frame; cannot be moved.
// Threads:   loop thread only.
// Ends:      at its deadline or later, never before; with its coroutine if the
//            actor ends first. Awaited where no handler runs, or by two
//            coroutines, it is a mistake that ends the actor.

#ifndef TROLLEY_ACTORS_INTERNAL_SLEEP_H_
#define TROLLEY_ACTORS_INTERNAL_SLEEP_H_

#include <utility>

#include "trolley/actors/internal/misuse.h"
#include "trolley/bus/loop/loop.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {

class [[nodiscard]] SleepAwaiter final : private Timer {
 public:
  SleepAwaiter(Loop& loop, Instant until) : loop_(loop), until_(until) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> at) {
    if (at_) ThrowMisuse("two coroutines await one Sleep()");
    handler_ = &HandlerInHand(&loop_, "Sleep()");
    at_ = at;
    loop_.timers().Set(*this, until_);
  }
  void await_resume() const {}

 private:
  void OnTimer() override {
    loop_.coroutines().Resume(*handler_, std::exchange(at_, {}));
  }

  Loop& loop_;
  const Instant until_;
  SuspendedHandler* handler_ = nullptr;
  std::coroutine_handle<> at_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_SLEEP_H_
