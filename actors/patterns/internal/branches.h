// SPDX-License-Identifier: Apache-2.0
//
// Branches: tasks that run at the same time in one handler. WhenAll and the
// others stand on it.
//
//   internal::BranchResult<int> a, b;
//   internal::Branches branches;      // after the results, so it ends first
//   branches.Add(std::move(first), a);
//   branches.Add(std::move(second), b);
//   const auto goes_on = [](size_t) { return true; };
//   co_await branches.Run(goes_on);   // Use(*a.value, *b.value)
//
// A handler is a chain of coroutines, each awaited by the one before it
// (actors/task.h). Here one coroutine, Run(), awaits several, and the chain
// becomes a tree. How that works with a loop that knows chains only:
//
//   - A co_await of a Task tells the handler which coroutine is the innermost
//     now, and the loop runs that one when the awaiting one has returned. So
//     Run() awaits one task after the other, each from a resumption of its own.
//     The resumptions come from a timer that is due at once, all of them in
//     the same turn.
//   - A task that ends makes the coroutine that awaits it the innermost, and
//     the loop resumes that. So Run() is resumed at the end of each branch.
//   - A coroutine that waits for a reply or a timer is resumed by its handle,
//     wherever it is in the tree.
//   - The loop notices that the innermost coroutine is another one than before.
//     So a branch itself never waits for a reply or a timer. It awaits its
//     task, and only that task, or one that the task awaits, does such a wait.
//   - The innermost coroutine must exist. So branches are destroyed only when
//     one of them has ended, for then Run() is the innermost one; or with the
//     whole handler.
//
// Ownership: a local of the coroutine that awaits Run().
// Threads:   loop thread only.
// Bounds:    the tasks that were added. To destroy one that waits takes stack
//            for each task that it awaits, and so on.
// Ends:      Run() returns, or the destructor: tasks that run are destroyed,
//            and so what they await is cancelled.

#ifndef TROLLEY_ACTORS_PATTERNS_INTERNAL_BRANCHES_H_
#define TROLLEY_ACTORS_PATTERNS_INTERNAL_BRANCHES_H_

#include <cstddef>
#include <deque>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/task.h"
#include "trolley/bus/timer.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {

struct BranchEnd {
  std::exception_ptr thrown;
};

template <typename T>
struct BranchResult : BranchEnd {
  std::optional<KeptAs<T>> value;  // set when the branch has returned
};

class Branches final : private Timer {
 public:
  Branches() = default;
  ~Branches() override;

  // Adds a task that Run() will begin. `result` must outlive this object.
  template <typename T>
  void Add(Task<T> task, BranchResult<T>& result) {
    all_.emplace_back(RunBranch(all_.size(), std::move(task), &result),
                      &result);
  }
  size_t size() const { return all_.size(); }

  // Runs the tasks. Calls goes_on(index) each time a task has returned, in the
  // order in which they return. Ends when all have returned, or when goes_on()
  // returns false. Then the tasks that still run are destroyed. So they are if
  // a task throws; the exception reaches the awaiting coroutine.
  Task<> Run(absl::FunctionRef<bool(size_t)> goes_on);

 private:
  // A task that is awaited, without a coroutine that stands still for it alone.
  using Running = decltype(std::declval<Task<>>().operator co_await());

  struct Branch {
    Branch(Task<> task, BranchEnd* made)
        : running(std::move(task).operator co_await()), end(made) {}
    Running running;
    BranchEnd* const end;
  };

  // Begins the next task that has not begun, and waits.
  class Park {
   public:
    explicit Park(Branches& branches)
        : branches_(branches), go_on_(branches.go_on_.Wait()) {}
    bool await_ready() const { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> at) {
      Branch* const next = branches_.TakeNext();
      if (next == nullptr) return;
      if (!branches_.all_have_begun()) {
        go_on_.await_suspend(at);
        branches_.Arm();
      }
      next->running.await_suspend(at);  // the loop runs it now
    }
    void await_resume() const {}

   private:
    Branches& branches_;
    AsyncCondition::Waiter go_on_;
  };

  template <typename T>
  Task<> RunBranch(size_t index, Task<T> task, BranchResult<T>* result) {
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(task);
        result->value.emplace();
      } else {
        result->value.emplace(co_await std::move(task));
      }
    } catch (...) {
      result->thrown = std::current_exception();
    }
    ended_.push_back(index);
  }

  bool all_have_begun() const { return begun_ == all_.size(); }
  Branch* TakeNext() { return all_have_begun() ? nullptr : &all_[begun_++]; }
  void Arm();
  void OnTimer() override;
  void Clear();

  std::deque<Branch> all_;
  size_t begun_ = 0;          // how many of all_, from the first
  std::deque<size_t> ended_;  // that Run() has not looked at
  AsyncCondition go_on_;      // Run() waits here while tasks have not begun
  bool* destroyed_ = nullptr;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PATTERNS_INTERNAL_BRANCHES_H_
