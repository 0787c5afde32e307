// SPDX-License-Identifier: Apache-2.0
//
// Sleeping: what Actor::Sleep returns; awaited at once. Loop thread only. Ends
// at its deadline, or is cancelled with its coroutine.

#ifndef TROLLEY_ACTORS_SLEEP_H_
#define TROLLEY_ACTORS_SLEEP_H_

#include <utility>

#include "trolley/actors/misuse.h"
#include "trolley/bus/loop.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {

class [[nodiscard]] Sleeping final : private Timer {
 public:
  Sleeping(Loop& loop, Instant until) : loop_(loop), until_(until) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> at) {
    if (at_) ThrowMisuse("two coroutines await one Sleep()");
    handler_ = &HandlerInHand(&loop_, "Sleep()");
    at_ = at;
    loop_.timers().Set(*this, until_);
  }
  void await_resume() const {}

 private:
  void OnTimer() override { loop_.Resume(*handler_, std::exchange(at_, {})); }

  Loop& loop_;
  const Instant until_;
  SuspendedHandler* handler_ = nullptr;
  std::coroutine_handle<> at_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_SLEEP_H_
