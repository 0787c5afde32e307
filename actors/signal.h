// SPDX-License-Identifier: Apache-2.0
//
// Signal and Turns: how the coroutines of one actor wait for one another.
//
//   // one coroutine                         // another
//   while (queue_.empty()) {                 queue_.push_back(m);
//     co_await filled_.Wait();               filled_.Notify();
//   }
//
//   Turns::Turn turn = co_await turns_.Take();    // one at a time, in the
//   co_await room_.Wait();                        // order of asking, until
//   queue_.push_back(m);                          // `turn` ends
//
// Ownership: members of the actor, or of what its coroutines share.
// Threads:   loop thread only.
// Bounds:    one waiter for each suspended coroutine of the actor.
// Ends:      a waiter that is destroyed is forgotten. A notice wakes those that
//            wait by then, and is lost if nobody does: look at the condition
//            before and after.

#ifndef TROLLEY_ACTORS_SIGNAL_H_
#define TROLLEY_ACTORS_SIGNAL_H_

#include <utility>

#include "trolley/actors/misuse.h"
#include "trolley/bus/loop.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() {
    while (first_ != nullptr) Remove(*first_);
  }

  // Both resume by way of the timers, so the caller's coroutine goes on first.
  void Notify() {
    while (NotifyOne()) {
    }
  }
  // Whoever has waited longest. False if nobody waits.
  bool NotifyOne() {
    Waiting* waiter = first_;
    if (waiter == nullptr) return false;
    Remove(*waiter);
    waiter->notified_ = true;
    waiter->loop_->timers().Set(*waiter, waiter->loop_->Now());
    return true;
  }

  bool empty() const { return first_ == nullptr; }
  // Resumes whoever has waited longest before it returns. Somebody waits;
  // called between handlers only.
  void ResumeOne() {
    Waiting* waiter = first_;
    waiter->notified_ = true;
    waiter->Cancel();
    waiter->OnTimer();
  }

  // Awaits to true when notified, to false at the deadline.
  class [[nodiscard]] Waiting final : private Timer {
   public:
    Waiting(Signal& signal, Instant until)
        : signal_(&signal), loop_(Loop::Current()), until_(until) {}
    ~Waiting() override { Forget(); }

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> at) {
      if (at_) internal::ThrowMisuse("two coroutines await one Wait()");
      handler_ = &internal::HandlerInHand(loop_, "Wait() or Take()");
      at_ = at;
      notified_ = false;
      signal_->Add(*this);
      loop_->timers().Set(*this, until_);
    }
    bool await_resume() const { return notified_; }

   private:
    friend class Signal;
    void OnTimer() override {
      Forget();
      loop_->Resume(*handler_, std::exchange(at_, {}));
    }
    void Forget() {
      if (listed_) signal_->Remove(*this);
    }

    Signal* const signal_;
    Loop* const loop_;
    const Instant until_;
    SuspendedHandler* handler_ = nullptr;
    std::coroutine_handle<> at_;
    bool notified_ = false;
    bool listed_ = false;
    Waiting* previous_ = nullptr;
    Waiting* next_ = nullptr;
  };

  Waiting Wait(Instant until = Instant::Infinite()) {
    return Waiting(*this, until);
  }

 private:
  void Add(Waiting& waiter) {
    waiter.listed_ = true;
    waiter.previous_ = last_;
    (last_ != nullptr ? last_->next_ : first_) = &waiter;
    last_ = &waiter;
  }
  void Remove(Waiting& waiter) {
    waiter.listed_ = false;
    (waiter.previous_ != nullptr ? waiter.previous_->next_ : first_) =
        waiter.next_;
    (waiter.next_ != nullptr ? waiter.next_->previous_ : last_) =
        waiter.previous_;
    waiter.previous_ = waiter.next_ = nullptr;
  }

  Waiting* first_ = nullptr;
  Waiting* last_ = nullptr;
};

class Turns : private Timer {
 public:
  // Holds the turn until it is destroyed.
  class [[nodiscard]] Turn {
   public:
    explicit Turn(Turns* turns) : turns_(turns) {}
    Turn(Turn&& other) noexcept
        : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->Pass();
    }

   private:
    Turns* turns_;
  };

  // Nobody has the turn, and nobody waits for it.
  bool idle() const { return !taken_; }

  // Awaits to the Turn.
  auto Take() {
    class Taking {
     public:
      explicit Taking(Turns& turns)
          : turns_(turns), waiting_(turns.passed_.Wait()) {}
      bool await_ready() {
        if (turns_.taken_) return false;
        return turns_.taken_ = true;
      }
      void await_suspend(std::coroutine_handle<> at) {
        waiting_.await_suspend(at);
      }
      Turn await_resume() { return Turn(&turns_); }

     private:
      Turns& turns_;
      Signal::Waiting waiting_;
    };
    return Taking(*this);
  }

 private:
  // Turns that change hands before other work of the loop has its turn. One at
  // a time would cost a round of the loop for each.
  static constexpr int kAtOnce = 64;

  // It stays taken if somebody waits.
  void Pass() {
    free_ = true;
    if (passing_) return;
    taken_ = !passed_.empty();
    Loop& loop = *Loop::Current();
    if (taken_) loop.timers().Set(*this, loop.Now());
  }
  void OnTimer() override {
    passing_ = true;
    for (int i = 0; free_ && i < kAtOnce && !passed_.empty(); ++i) {
      free_ = false;
      passed_.ResumeOne();
    }
    passing_ = false;
    if (free_) Pass();
  }

  bool taken_ = false;    // by who holds it, or for those who wait
  bool free_ = true;      // nobody holds it
  bool passing_ = false;  // OnTimer() is at work
  Signal passed_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SIGNAL_H_
