// SPDX-License-Identifier: Apache-2.0
//
// What a pattern may be asked to run: a function without parameters, whose
// result can be awaited in a Task. That is a Task, or the result of a verb,
// such as Ref::Ask().
//
//   auto operation = work();
//   R result = co_await AwaitNamed(operation);   // R is WorkResult<Work>
//
// Also: which arguments g++ 12 would destroy twice (actors/task.h).
//
// Ownership: types and functions; they keep nothing.
// Threads:   loop thread only.

#ifndef TROLLEY_ACTORS_PATTERNS_INTERNAL_AWAITABLE_H_
#define TROLLEY_ACTORS_PATTERNS_INTERNAL_AWAITABLE_H_

#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/task.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {

template <typename Operation>
inline constexpr bool kIsATask = false;
template <typename T>
inline constexpr bool kIsATask<Task<T>> = true;

// Awaits an operation that has a name. g++ 12 would copy what `co_await
// *pointer` awaits.
template <typename Operation>
struct NamedAwaiter {
  bool await_ready() { return operation.await_ready(); }
  auto await_suspend(std::coroutine_handle<> at) {
    return operation.await_suspend(at);
  }
  decltype(auto) await_resume() { return operation.await_resume(); }

  Operation& operation;
};

// What to co_await for an operation that has a name.
template <typename Operation>
auto AwaitNamed(Operation& operation) {
  if constexpr (kIsATask<Operation>) {
    return std::move(operation).operator co_await();
  } else {
    return NamedAwaiter<Operation>{operation};
  }
}

template <typename Operation>
using ResultOf =
    decltype(AwaitNamed(std::declval<Operation&>()).await_resume());
template <typename Work>
using WorkResult =
    ResultOf<std::remove_cvref_t<std::invoke_result_t<std::decay_t<Work>&>>>;

// How a T is kept until the caller takes it.
template <typename T>
using KeptAs = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <typename R>
inline constexpr bool kIsStatus = std::is_same_v<R, absl::Status>;
template <typename T>
inline constexpr bool kIsStatus<absl::StatusOr<T>> = true;

// An absl::Status, or the status of an absl::StatusOr.
inline const absl::Status& StatusOf(const absl::Status& result) {
  return result;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

template <typename T>
constexpr bool IsALambda() {
  return std::string_view(__PRETTY_FUNCTION__).find("lambda") !=
         std::string_view::npos;
}

// `Given` is deduced for a parameter Given&&. False: it may be a temporary that
// this compiler destroys twice if it is part of a co_await expression.
template <typename Given>
inline constexpr bool kDiesOnce =
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
    std::is_reference_v<Given> || std::is_trivially_destructible_v<Given> ||
    !(std::is_aggregate_v<Given> || IsALambda<Given>());
#else
    true;
#endif

// Refuses such temporaries, also where they would do no harm.
template <typename... Given>
constexpr void CheckTemporaries() {
  static_assert((kDiesOnce<Given> && ...),
                "this compiler destroys such a temporary twice if it is in a "
                "co_await expression. Give the struct or the lambda a name and "
                "pass that; for one that cannot be copied pass "
                "std::ref(name).");
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PATTERNS_INTERNAL_AWAITABLE_H_
