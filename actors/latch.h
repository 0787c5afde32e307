// SPDX-License-Identifier: Apache-2.0
//
// Latch: something that happens once, and coroutines of one actor that wait for
// it: a handler that answers when the input has ended, say.
//
//   trolley::Task<Report> On(GetReport) {
//     co_await ended_.Wait();
//     co_return report_;
//   }
//
// Ownership: a member of the actor.
// Threads:   loop thread only.
// Bounds:    one waiter for each suspended handler of the actor.
// Ends:      Open() resumes everyone, in the order of waiting; later waits do
// not
//            wait. A waiter destroyed before is forgotten.

#ifndef TROLLEY_ACTORS_LATCH_H_
#define TROLLEY_ACTORS_LATCH_H_

#include <coroutine>
#include <utility>

#include "trolley/bus/loop.h"

namespace trolley {

class Latch {
 public:
  Latch() = default;
  Latch(const Latch&) = delete;
  Latch& operator=(const Latch&) = delete;

  bool is_open() const { return open_; }

  // Resumes by way of the timers, so the caller's handler goes on first.
  void Open() {
    open_ = true;
    for (Waiting* w = first_; w != nullptr; w = w->next_) {
      w->loop_.timers().Set(*w, w->loop_.Now());
    }
  }

  class [[nodiscard]] Waiting final : public Timer {
   public:
    explicit Waiting(Latch& latch) : latch_(latch), loop_(*Loop::Current()) {}
    ~Waiting() override {
      if (link_ != nullptr) Unlink();
    }

    bool await_ready() const { return latch_.open_; }
    void await_suspend(std::coroutine_handle<> at) {
      at_ = at;
      handler_ = loop_.turn().handler;
      for (link_ = &latch_.first_; *link_ != nullptr;) link_ = &(*link_)->next_;
      *link_ = this;
    }
    void await_resume() const {}

   private:
    friend class Latch;
    void OnTimer() override {
      Unlink();
      loop_.Resume(*handler_, at_);
    }
    void Unlink() {
      if (next_ != nullptr) next_->link_ = link_;
      *std::exchange(link_, nullptr) = next_;
    }

    Latch& latch_;
    Loop& loop_;
    SuspendedHandler* handler_ = nullptr;
    std::coroutine_handle<> at_;
    Waiting* next_ = nullptr;
    Waiting** link_ = nullptr;  // what points to this one, while it waits
  };

  Waiting Wait() { return Waiting(*this); }

 private:
  bool open_ = false;
  Waiting* first_ = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LATCH_H_
