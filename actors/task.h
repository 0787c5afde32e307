// SPDX-License-Identifier: Apache-2.0
//
// Task<T>: the return type of a coroutine handler, and of the coroutines that
// it calls. It begins when it is awaited, or when the loop runs the handler. It
// always runs on the actor's own loop.
//
//   trolley::Task<absl::Status> On(Transfer m) {
//     absl::StatusOr<int64_t> have =
//         co_await from_.Ask(GetBalance{}, absl::Seconds(1));
//     if (!have.ok()) co_return have.status();
//     ...
//   }
//
// The captures of a lambda are in the lambda, not in its coroutine. So a lambda
// that is a coroutine must live as long as its task. RunInBackground() takes
// the lambda itself and keeps it.
//
// g++ 12 destroys some temporaries of a co_await expression twice: structs made
// with braces, and lambdas. The verbs of this library do not compile with such
// a temporary (actors/internal/awaited.h). In calls of your own functions give
// it a name:
//
//   Text text{"..."};
//   co_await Helper(std::move(text));    // not: co_await Helper(Text{"..."})
//
// Ownership: a Task owns its frame. Destroyed, it cancels what it awaits. The
//            co_await of a task takes the frame and destroys it at its end.
// Threads:   loop thread only.
// Bounds:    memory. Neither many co_awaits nor a long chain of tasks that
//            await one another use more stack
//            (bus/mailbox/suspended_handler.h).
// Ends:      co_return, an exception, or the end of its actor. A coroutine that
//            has to return a value and reaches its end without one counts as
//            one that has thrown.

#ifndef TROLLEY_ACTORS_TASK_H_
#define TROLLEY_ACTORS_TASK_H_

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "trolley/actors/internal/misuse.h"
#include "trolley/actors/internal/type_name.h"
#include "trolley/bus/mailbox/suspended_handler.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

template <typename T>
class Task;

namespace internal {

class TaskPromiseBase {
 public:
  std::suspend_always initial_suspend() noexcept { return {}; }

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      TaskPromiseBase& promise = ended.promise();
      if (promise.root_ == nullptr) return;  // it is part of no handler
      promise.root_->innermost = promise.frame_.awaited_by;
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }

  void unhandled_exception() { thrown_ = std::current_exception(); }

  // Makes this coroutine a handler: it is the outermost of its chain.
  SuspendedHandler& BeginHandler(std::coroutine_handle<> self) {
    root_ = &handler_;
    frame_.handle = self;
    handler_.frame = self;
    handler_.innermost = &frame_;
    return handler_;
  }
  // `caller` awaits this coroutine, and holds it in `*self`. It runs when
  // `caller` has returned to SuspendedHandler::Run().
  void BeginAwaited(TaskPromiseBase& caller, std::coroutine_handle<>* self) {
    if (caller.root_ == nullptr) ThrowNoHandler("co_await of a Task");
    root_ = caller.root_;
    frame_ = {.handle = *self, .awaited_by = &caller.frame_, .owner = self};
    root_->innermost = &frame_;
  }

 protected:
  void Rethrow() {
    if (thrown_ != nullptr) std::rethrow_exception(std::move(thrown_));
  }

 private:
  HandlerFrame frame_;
  SuspendedHandler* root_ = nullptr;  // the handler that it is part of
  std::exception_ptr thrown_;
  SuspendedHandler handler_;  // if it is the outermost
};

template <typename T>
class TaskPromise : public TaskPromiseBase {
 public:
  Task<T> get_return_object();

  template <typename U>
  requires std::is_convertible_v<U&&, T>
  void return_value(U&& value) { value_.emplace(std::forward<U>(value)); }

  T Result() {
    Rethrow();
    if (!value_.has_value()) {
      ThrowMisuse("a coroutine ended without a co_return of its value");
    }
    return *std::move(value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> : public TaskPromiseBase {
 public:
  Task<void> get_return_object();
  void return_void() {}
  void Result() { Rethrow(); }
};

// Owns the frame of a task while a coroutine awaits it.
template <typename T>
class TaskAwaiter {
 public:
  explicit TaskAwaiter(std::coroutine_handle<> frame) : frame_(frame) {}
  TaskAwaiter(const TaskAwaiter&) = delete;
  TaskAwaiter& operator=(const TaskAwaiter&) = delete;
  ~TaskAwaiter() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> caller) {
    static_assert(std::is_base_of_v<TaskPromiseBase, Promise>,
                  "a trolley::Task is awaited in a trolley::Task");
    promise().BeginAwaited(caller.promise(), &frame_);
  }
  T await_resume() { return promise().Result(); }

 private:
  TaskPromise<T>& promise() const {
    return std::coroutine_handle<TaskPromise<T>>::from_address(frame_.address())
        .promise();
  }

  std::coroutine_handle<> frame_;
};

}  // namespace internal

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  Task& operator=(Task other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  // Gives the frame to the caller.
  [[nodiscard]] Handle Release() { return std::exchange(frame_, {}); }

  // Runs the task to its end within the awaiting one.
  internal::TaskAwaiter<T> operator co_await() && {
    if (!frame_) internal::ThrowMisuse("a Task is awaited once");
    return internal::TaskAwaiter<T>(Release());
  }

 private:
  friend promise_type;
  explicit Task(Handle frame) : frame_(frame) {}

  Handle frame_;
};

namespace internal {

// Destroys the frame in its destructor.
class FrameOwner {
 public:
  explicit FrameOwner(std::coroutine_handle<> frame) : frame_(frame) {}
  FrameOwner(const FrameOwner&) = delete;
  FrameOwner& operator=(const FrameOwner&) = delete;
  ~FrameOwner() { frame_.destroy(); }

 private:
  const std::coroutine_handle<> frame_;
};

template <typename T>
Task<T> TaskPromise<T>::get_return_object() {
  return Task<T>(Task<T>::Handle::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() {
  return Task<void>(Task<void>::Handle::from_promise(*this));
}

}  // namespace internal
}  // namespace trolley

#endif  // TROLLEY_ACTORS_TASK_H_
