// SPDX-License-Identifier: Apache-2.0
//
// AsyncCondition: a coroutine of an actor waits here until another part of the
// same actor notifies it. It is a condition variable for coroutines.
//
//   // The consumer, a coroutine:           // The producer, any handler:
//   while (queue_.empty()) {                queue_.push_back(m);
//     co_await filled_.Wait();              filled_.Notify();
//   }
//
// A notice wakes the coroutines that wait at that moment. If none waits, the
// notice is lost. So test your own condition before you wait and after.
//
// Ownership: a member of the actor, or of an object that its coroutines share.
// Threads:   loop thread only: the loop of that actor.
// Bounds:    one waiter for each suspended coroutine of the actor.
// Ends:      a waiter that is destroyed is removed. When the condition is
//            destroyed, its waiters are removed and never resume.

#ifndef TROLLEY_ACTORS_ASYNC_CONDITION_H_
#define TROLLEY_ACTORS_ASYNC_CONDITION_H_

#include <cassert>
#include <utility>

#include "trolley/actors/internal/misuse.h"
#include "trolley/bus/loop/loop.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

class AsyncCondition {
 public:
  class Waiter;

  AsyncCondition() = default;
  AsyncCondition(const AsyncCondition&) = delete;
  AsyncCondition& operator=(const AsyncCondition&) = delete;
  ~AsyncCondition() {
    while (first_ != nullptr) Remove(*first_);
  }

  // co_await condition.Wait(): true when notified.
  // co_await condition.Wait(until): false if `until` came first.
  // A mistake outside a coroutine handler ends the actor, with the reason in
  // the log.
  Waiter Wait(Instant until = Instant::Infinite());

  // Wakes every waiter. Each resumes later, from the loop's timers; the caller
  // goes on first.
  void Notify() {
    while (NotifyOne()) {
    }
  }
  // The same for the waiter that has waited longest. False: there is none.
  bool NotifyOne();
  // Resumes the waiter that has waited longest, before this call returns.
  // There must be one. Only between handlers, such as in a Timer.
  void ResumeOne();

  // True: no coroutine waits.
  bool empty() const { return first_ == nullptr; }

 private:
  void Add(Waiter& waiter);
  void Remove(Waiter& waiter);

  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

// What Wait() returns; awaited at once.
class [[nodiscard]] AsyncCondition::Waiter final : private Timer {
 public:
  Waiter(AsyncCondition& condition, Instant until)
      : condition_(&condition),
        loop_(internal::Loop::Current()),
        until_(until) {}
  ~Waiter() override { Forget(); }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> at) {
    if (at_) internal::ThrowMisuse("two coroutines await one Wait()");
    handler_ = &internal::HandlerInHand(loop_, "Wait() or Acquire()");
    at_ = at;
    notified_ = false;
    condition_->Add(*this);
    loop_->timers().Set(*this, until_);
  }
  bool await_resume() const { return notified_; }

 private:
  friend class AsyncCondition;
  void OnTimer() override {
    Forget();
    loop_->coroutines().Resume(*handler_, std::exchange(at_, {}));
  }
  void Forget() {
    if (listed_) condition_->Remove(*this);
  }

  AsyncCondition* const condition_;
  internal::Loop* const loop_;
  const Instant until_;
  internal::SuspendedHandler* handler_ = nullptr;
  std::coroutine_handle<> at_;
  bool notified_ = false;
  bool listed_ = false;
  Waiter* previous_ = nullptr;
  Waiter* next_ = nullptr;
};

inline AsyncCondition::Waiter AsyncCondition::Wait(Instant until) {
  return Waiter(*this, until);
}

inline bool AsyncCondition::NotifyOne() {
  Waiter* waiter = first_;
  if (waiter == nullptr) return false;
  Remove(*waiter);
  waiter->notified_ = true;
  waiter->loop_->timers().Set(*waiter, waiter->loop_->Now());
  return true;
}

inline void AsyncCondition::ResumeOne() {
  Waiter* waiter = first_;
  assert(waiter != nullptr && "no coroutine waits");
  waiter->notified_ = true;
  waiter->Cancel();
  waiter->OnTimer();
}

inline void AsyncCondition::Add(Waiter& waiter) {
  waiter.listed_ = true;
  waiter.previous_ = last_;
  (last_ != nullptr ? last_->next_ : first_) = &waiter;
  last_ = &waiter;
}

inline void AsyncCondition::Remove(Waiter& waiter) {
  waiter.listed_ = false;
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : first_) =
      waiter.next_;
  (waiter.next_ != nullptr ? waiter.next_->previous_ : last_) =
      waiter.previous_;
  waiter.previous_ = waiter.next_ = nullptr;
}

}  // namespace trolley

#endif  // TROLLEY_ACTORS_ASYNC_CONDITION_H_
