// SPDX-License-Identifier: Apache-2.0
//
// MaybeTask<T>: what a handler returns that seldom has to wait: its result, or
// else a Task of it. A result costs no coroutine.
//
// A value; loop thread only.

#ifndef TROLLEY_ACTORS_MAYBE_TASK_H_
#define TROLLEY_ACTORS_MAYBE_TASK_H_

#include <type_traits>
#include <utility>
#include <variant>

#include "trolley/actors/task.h"

namespace trolley {

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

}  // namespace trolley

#endif  // TROLLEY_ACTORS_MAYBE_TASK_H_
