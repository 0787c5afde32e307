// SPDX-License-Identifier: Apache-2.0
//
// Quorum: runs several tasks at the same time, and waits until enough of them
// have succeeded. FirstOk: until one has.
//
//   auto votes = co_await Quorum(2, AskEach(replicas, GetValue{key}, timeout));
//   if (!votes.ok()) co_return votes.status();
//   for (const auto& vote : *votes) Count(vote.index, vote.value);
//
//   auto fastest = co_await FirstOk(AskEach(replicas, GetValue{key}, timeout));
//   if (fastest.ok()) Use(fastest->value);
//
// A task succeeds if it returns OK or a value. When enough have, the others are
// destroyed and what they await is cancelled. The same happens when so many
// have failed that the rest cannot be enough. Then the error has the code of
// the last failure, and its text names the first kMostNamedFailures failures.
//
//   code             when
//   InvalidArgument  `needed` is 0, or larger than the number of tasks
//   any              of the failure that made it impossible
//
// If a task throws, the others are destroyed, and co_await throws that.
//
// Ownership: takes the tasks.
// Threads:   loop thread only; awaited in a Task of an actor.
// Bounds:    the tasks that it is given.
// Ends:      when the outcome is certain. If the awaiting coroutine is
//            destroyed, all tasks are.

#ifndef TROLLEY_ACTORS_PATTERNS_QUORUM_H_
#define TROLLEY_ACTORS_PATTERNS_QUORUM_H_

#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/branches.h"
#include "trolley/actors/patterns/internal/failures.h"
#include "trolley/actors/task.h"

namespace trolley {

// How many failures the text of an error names; a count. 4: enough to see
// whether they are alike.
inline constexpr size_t kMostNamedFailures = 4;

// A task that has succeeded.
template <typename T>
struct Vote {
  size_t index;  // of the task
  T value;       // std::monostate for an absl::Status
};

namespace internal {

template <typename R>
struct VoteOf;
template <>
struct VoteOf<absl::Status> {
  using Type = Vote<std::monostate>;
  static Type Take(size_t index, absl::Status&) { return {index, {}}; }
};
template <typename T>
struct VoteOf<absl::StatusOr<T>> {
  using Type = Vote<T>;
  static Type Take(size_t index, absl::StatusOr<T>& result) {
    return {index, *std::move(result)};
  }
};

}  // namespace internal

// Resolves to `needed` votes, in the order in which they came. R is an
// absl::Status or an absl::StatusOr.
template <typename R>
Task<absl::StatusOr<std::vector<typename internal::VoteOf<R>::Type>>> Quorum(
    size_t needed, std::vector<Task<R>> tasks) {
  const size_t count = tasks.size();
  if (needed == 0 || needed > count) {
    co_return internal::NoSuchQuorum(needed, count);
  }
  std::vector<internal::BranchResult<R>> results(count);
  internal::Branches branches;
  for (size_t i = 0; i < count; ++i) {
    branches.Add(std::move(tasks[i]), results[i]);
  }
  std::vector<typename internal::VoteOf<R>::Type> votes;
  internal::Failures failures(kMostNamedFailures);
  const auto goes_on = [&](size_t index) {
    R& result = *results[index].value;
    if (result.ok()) {
      votes.push_back(internal::VoteOf<R>::Take(index, result));
      // mutant: P23_AQuorumWaitsForOneMore
      return votes.size() < needed;
    }
    failures.Add(index, internal::StatusOf(result));
    // mutant: P23_AQuorumThatIsImpossibleIsWaitedFor
    return failures.count() <= count - needed;
  };
  co_await branches.Run(goes_on);
  if (votes.size() < needed) {
    co_return failures.Explain(votes.size(), needed, count);
  }
  co_return votes;
}

// Resolves to the vote of the first task that succeeded. Errors: as Quorum().
template <typename R>
Task<absl::StatusOr<typename internal::VoteOf<R>::Type>> FirstOk(
    std::vector<Task<R>> tasks) {
  auto votes = co_await Quorum<R>(1, std::move(tasks));
  if (!votes.ok()) co_return votes.status();
  co_return std::move(votes->front());
}

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_QUORUM_H_
