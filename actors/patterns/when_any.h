// SPDX-License-Identifier: Apache-2.0
//
// WhenAny: runs several tasks at the same time, and waits for the first one
// that returns. The others are destroyed at once, and what they await is
// cancelled.
//
//   Task<int64_t> FromCache(std::string currency);
//   Task<absl::StatusOr<int64_t>> FromBank(std::string currency);
//
//   // A std::variant<int64_t, absl::StatusOr<int64_t>>:
//   auto first = co_await WhenAny(FromCache("EUR"), FromBank("EUR"));
//   if (first.index() == 0) Use(std::get<0>(first));
//
//   absl::StatusOr<FirstOf<int64_t>> one = co_await WhenAny(std::move(tasks));
//   if (one.ok()) Use(one->index, one->value);
//
// The first to return wins, also with an error. For the first that succeeds see
// FirstOk() (actors/patterns/quorum.h). The tasks begin in the order in which
// they are given. If one returns without waiting, later ones do not begin. If
// the first one throws, co_await throws that.
//
// Ownership: takes the tasks.
// Threads:   loop thread only; awaited in a Task of an actor.
// Bounds:    the tasks that it is given.
// Ends:      when one task has returned or thrown. If the awaiting coroutine is
//            destroyed, all tasks are.

#ifndef TROLLEY_ACTORS_PATTERNS_WHEN_ANY_H_
#define TROLLEY_ACTORS_PATTERNS_WHEN_ANY_H_

#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/branches.h"
#include "trolley/actors/task.h"

namespace trolley {

// Resolves to the result of the task that returned first. Its index is that of
// the task.
template <typename... Ts>
requires(sizeof...(Ts) > 0) Task<std::variant<internal::KeptAs<Ts>...>> WhenAny(
    Task<Ts>... tasks) {
  using Result = std::variant<internal::KeptAs<Ts>...>;
  std::tuple<internal::BranchResult<Ts>...> results;
  internal::Branches branches;
  std::apply(
      [&](auto&... result) { (branches.Add(std::move(tasks), result), ...); },
      results);
  size_t first = 0;
  const auto goes_on = [&first](size_t index) {
    first = index;
    // mutant: P23_WhenAnyWaitsForAll
    return false;
  };
  co_await branches.Run(goes_on);
  std::optional<Result> result;
  const auto take = [&]<size_t... kIndex>(std::index_sequence<kIndex...>) {
    ((first == kIndex
          ? void(result.emplace(std::in_place_index<kIndex>,
                                *std::move(std::get<kIndex>(results).value)))
          : void()),
     ...);
  };
  take(std::index_sequence_for<Ts...>());
  co_return *std::move(result);
}

template <typename T>
struct FirstOf {
  size_t index;  // of the task
  T value;       // what it returned
};

// Resolves to the result of the task that returned first. InvalidArgument:
// there is no task.
template <typename T>
Task<absl::StatusOr<FirstOf<internal::KeptAs<T>>>> WhenAny(
    std::vector<Task<T>> tasks) {
  if (tasks.empty()) {
    co_return absl::InvalidArgumentError(
        "WhenAny of no task; give it at least one");
  }
  std::vector<internal::BranchResult<T>> results(tasks.size());
  internal::Branches branches;
  for (size_t i = 0; i < tasks.size(); ++i) {
    branches.Add(std::move(tasks[i]), results[i]);
  }
  size_t first = 0;
  const auto goes_on = [&first](size_t index) {
    first = index;
    return false;
  };
  co_await branches.Run(goes_on);
  co_return FirstOf<internal::KeptAs<T>>{first,
                                         *std::move(results[first].value)};
}

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_WHEN_ANY_H_
