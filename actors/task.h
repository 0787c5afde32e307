// SPDX-License-Identifier: Apache-2.0
//
// Task<T>: the return type of a coroutine handler, and of the coroutines it
// calls. Lazy: it runs when it is awaited, or when the loop gives it to the
// actor; only ever on the actor's own loop.
//
//   trolley::Task<absl::Status> On(Transfer m) {
//     absl::StatusOr<int64_t> have =
//         co_await from_.Ask(GetBalance{}, absl::Seconds(1));
//     if (!have.ok()) co_return have.status();
//     ...
//   }
//
// g++ 12 destroys a temporary aggregate with members that need destroying twice
// if it is made inside a co_await expression. Name such a message first:
//
//   Words words{.text = std::move(text)};           // a plain struct: by name
//   absl::Status sent = co_await counter.Send(std::move(words));
//
// A message with a constructor (any Protobuf message), or whose members are
// numbers, may be made in place.
//
// Ownership: the Task owns its frame; destroying it cancels what it awaits.
// Threads:   loop thread only.
// Ends:      co_return, an exception, or its actor's end.

#ifndef TROLLEY_ACTORS_TASK_H_
#define TROLLEY_ACTORS_TASK_H_

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "trolley/bus/suspended_handler.h"
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
    std::coroutine_handle<> await_suspend(
        std::coroutine_handle<Promise> ended) noexcept {
      return ended.promise().continuation_;
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }

  void unhandled_exception() { thrown_ = std::current_exception(); }

  void set_continuation(std::coroutine_handle<> next) { continuation_ = next; }

  // Of a task that the loop runs; unused in one that another task awaits.
  SuspendedHandler handler;

 protected:
  void Rethrow() {
    if (thrown_ != nullptr) std::rethrow_exception(std::move(thrown_));
  }

 private:
  std::coroutine_handle<> continuation_ = std::noop_coroutine();
  std::exception_ptr thrown_;
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
  auto operator co_await() && noexcept {
    struct Awaiter {
      Handle frame;
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(
          std::coroutine_handle<> caller) noexcept {
        frame.promise().set_continuation(caller);
        return frame;
      }
      T await_resume() { return frame.promise().Result(); }
    };
    return Awaiter{frame_};
  }

 private:
  friend promise_type;
  explicit Task(Handle frame) : frame_(frame) {}

  Handle frame_;
};

// What a handler returns that seldom has to wait: its result, or else a Task
// of it. A result costs no coroutine.
template <typename T>
class [[nodiscard]] MaybeTask {
 public:
  template <typename U>
  requires std::is_convertible_v<U&&, T> MaybeTask(U&& result)  // NOLINT
      : result_(std::in_place_index<0>, std::forward<U>(result)) {}
  MaybeTask(Task<T> task)  // NOLINT: that is what it is for
      : result_(std::in_place_index<1>, std::move(task)) {}

  // The result; null if it is a task.
  T* now() { return std::get_if<0>(&result_); }
  // Of the task.
  [[nodiscard]] typename Task<T>::Handle Release() {
    return std::get<1>(result_).Release();
  }

 private:
  std::variant<T, Task<T>> result_;
};

namespace internal {

// Destroys a frame when it goes itself.
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
