// SPDX-License-Identifier: Apache-2.0
//
// MaybeTask<T>: the return type of a handler that seldom has to wait. It is a
// result, or a Task that will give one. A result costs no coroutine.
//
//   trolley::MaybeTask<int64_t> On(const GetRate& m) {
//     if (const int64_t* rate = cache_.Find(m.currency)) return *rate;
//     return Fetch(m.currency);   // a trolley::Task<int64_t>
//   }
//
// Ownership: a value; it owns its task.
// Threads:   loop thread only.

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
  // Gives the frame of the task to the caller. Only if now() is null.
  [[nodiscard]] typename Task<T>::Handle Release() {
    return std::get<1>(result_).Release();
  }

 private:
  std::variant<T, Task<T>> result_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_MAYBE_TASK_H_
