// SPDX-License-Identifier: Apache-2.0
//
// AsyncMutex: one coroutine of an actor at a time, in the order in which they
// asked. It never blocks the loop: a coroutine that has to wait is suspended.
//
//   trolley::AsyncMutex::Lock lock = co_await mutex_.Acquire();
//   co_await room_.Wait();
//   queue_.push_back(m);
//   // The lock is released when `lock` goes out of scope.
//
// Ownership: a member of the actor, or of an object that its coroutines share.
//            It must outlive its locks.
// Threads:   loop thread only: the loop of that actor.
// Bounds:    one waiter for each suspended coroutine of the actor.
// Ends:      a waiter that is destroyed is removed and the next one is served.

#ifndef TROLLEY_ACTORS_ASYNC_MUTEX_H_
#define TROLLEY_ACTORS_ASYNC_MUTEX_H_

#include <utility>

#include "trolley/actors/async_condition.h"

namespace trolley {

class AsyncMutex : private Timer {
 public:
  // Holds the mutex until it is destroyed.
  class [[nodiscard]] Lock {
   public:
    Lock(Lock&& other) noexcept
        : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Lock& operator=(Lock&&) = delete;
    ~Lock() {
      if (mutex_ != nullptr) mutex_->Release();
    }

   private:
    friend class AsyncMutex;
    explicit Lock(AsyncMutex* mutex) : mutex_(mutex) {}

    AsyncMutex* mutex_;
  };

  // True: no coroutine holds the mutex, and none waits for it.
  bool idle() const { return !taken_; }

  // co_await mutex.Acquire() gives a Lock.
  // A mistake outside a coroutine handler ends the actor, with the reason in
  // the log.
  auto Acquire() {
    class LockAwaiter {
     public:
      explicit LockAwaiter(AsyncMutex& mutex)
          : mutex_(mutex), waiter_(mutex.passed_on_.Wait()) {}
      bool await_ready() {
        if (mutex_.taken_) return false;
        return mutex_.taken_ = true;
      }
      void await_suspend(std::coroutine_handle<> at) {
        waiter_.await_suspend(at);
      }
      Lock await_resume() { return Lock(&mutex_); }

     private:
      AsyncMutex& mutex_;
      AsyncCondition::Waiter waiter_;
    };
    return LockAwaiter(*this);
  }

 private:
  // How often the mutex changes hands before other work of the loop goes on.
  // One at a time would cost a turn of the loop for each.
  static constexpr int kAtOnce = 64;

  // The mutex stays taken if a coroutine waits for it.
  void Release() {
    free_ = true;
    if (passing_on_) return;
    taken_ = !passed_on_.empty();
    internal::Loop& loop = *internal::Loop::Current();
    if (taken_) loop.timers().Set(*this, loop.Now());
  }
  void OnTimer() override {
    passing_on_ = true;
    for (int i = 0; free_ && i < kAtOnce && !passed_on_.empty(); ++i) {
      free_ = false;
      passed_on_.ResumeOne();
    }
    passing_on_ = false;
    if (free_) Release();
  }

  bool taken_ = false;       // a coroutine holds it, or some wait for it
  bool free_ = true;         // OnTimer() may give it to the next waiter
  bool passing_on_ = false;  // OnTimer() is running
  AsyncCondition passed_on_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_ASYNC_MUTEX_H_
