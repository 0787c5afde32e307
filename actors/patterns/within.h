// SPDX-License-Identifier: Apache-2.0
//
// Within: gives a task a limit in time. WithDeadline: the same with a deadline.
//
//   Task<absl::StatusOr<int64_t>> Transfer(Order order);   // several asks
//
//   absl::StatusOr<int64_t> done =
//       co_await Within(absl::Seconds(2), Transfer(order));
//
// If the limit comes first, the task is destroyed at once, what it awaits is
// cancelled, and the result is DeadlineExceeded. The result has this type:
//
//   task                     result
//   Task<absl::Status>       absl::Status
//   Task<absl::StatusOr<T>>  absl::StatusOr<T>
//   Task<>                   absl::Status
//   Task<T>                  absl::StatusOr<T>
//
// The time counts from the moment at which the result is awaited. If it is over
// then, the task does not begin. What the task throws, co_await throws.
//
// One ask needs none of this: it has a timeout of its own. The limit is none
// for the asks that the task makes: they end because the task does.
//
// Ownership: takes the task.
// Threads:   loop thread only; awaited in a Task of an actor.
// Bounds:    two coroutines.
// Ends:      with the task or at the limit. A task that does not wait is not
//            interrupted.

#ifndef TROLLEY_ACTORS_PATTERNS_WITHIN_H_
#define TROLLEY_ACTORS_PATTERNS_WITHIN_H_

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/branches.h"
#include "trolley/actors/patterns/internal/pause.h"
#include "trolley/actors/task.h"
#include "trolley/poller/instant.h"

namespace trolley {
namespace internal {

template <typename T>
using LimitedResult = std::conditional_t<
    std::is_void_v<T>, absl::Status,
    std::conditional_t<kIsStatus<T>, T, absl::StatusOr<KeptAs<T>>>>;

template <typename T, typename Limit>
Task<LimitedResult<T>> RunWithLimit(Limit limit, Task<T> task) {
  const Instant end = EndOf(limit);
  // mutant: P23_ALimitThatIsOverBeginsTheTask
  if (end <= Now()) co_return OutOfTime(limit);
  BranchResult<T> result;
  BranchResult<void> late;
  Branches branches;
  branches.Add(std::move(task), result);
  // mutant: P23_WithinHasNoLimit
  branches.Add(PauseUntil(end), late);
  const auto goes_on = [](size_t) { return false; };
  co_await branches.Run(goes_on);
  if (!result.value.has_value()) co_return OutOfTime(limit);
  if constexpr (std::is_void_v<T>) {
    co_return absl::OkStatus();
  } else {
    co_return *std::move(result.value);
  }
}

}  // namespace internal

// The limit is `length` from the moment at which the result is awaited.
template <typename T>
Task<internal::LimitedResult<T>> Within(absl::Duration length, Task<T> task) {
  return internal::RunWithLimit(length, std::move(task));
}

template <typename T>
Task<internal::LimitedResult<T>> WithDeadline(Instant deadline, Task<T> task) {
  return internal::RunWithLimit(deadline, std::move(task));
}

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_WITHIN_H_
