// SPDX-License-Identifier: Apache-2.0
//
// WhenAll: runs several tasks at the same time, and waits for all of them.
//
//   Task<int64_t> Price(std::string currency);   // waits for replies
//
//   auto [euro, yen] = co_await WhenAll(Price("EUR"), Price("JPY"));
//
//   std::vector<Task<int64_t>> tasks;
//   for (const std::string& c : currencies) tasks.push_back(Price(c));
//   std::vector<int64_t> prices = co_await WhenAll(std::move(tasks));
//
// "At the same time" is on the loop of the actor: one task runs while others
// wait. The tasks begin when the result is awaited, in the order in which they
// are given: the first at once, the others in the next turn of the loop. The
// results are in that order, too. A Task<> gives a std::monostate. An error
// that a task returns is a result like any other.
//
//   a task throws              the others are destroyed; co_await throws that
//   the awaiting coroutine is  all tasks are destroyed, and what they await is
//   destroyed                  cancelled
//
// For asks of many actors that get the same message, AskAll() is cheaper
// (actors/patterns/ask_all.h). A few asks need none of this: each is sent when
// it is made (actors/ask.h).
//
// Ownership: takes the tasks.
// Threads:   loop thread only; awaited in a Task of an actor.
// Bounds:    the tasks that it is given. It does not wait for a free mailbox or
//            the like.
// Ends:      when all tasks have returned.

#ifndef TROLLEY_ACTORS_PATTERNS_WHEN_ALL_H_
#define TROLLEY_ACTORS_PATTERNS_WHEN_ALL_H_

#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/branches.h"
#include "trolley/actors/task.h"

namespace trolley {

// Resolves to the results of all tasks.
template <typename... Ts>
Task<std::tuple<internal::KeptAs<Ts>...>> WhenAll(Task<Ts>... tasks) {
  std::tuple<internal::BranchResult<Ts>...> results;
  internal::Branches branches;
  std::apply(
      [&](auto&... result) { (branches.Add(std::move(tasks), result), ...); },
      results);
  const auto goes_on = [](size_t) { return true; };
  co_await branches.Run(goes_on);
  co_return std::apply(
      [](auto&... result) {
        return std::tuple<internal::KeptAs<Ts>...>(*std::move(result.value)...);
      },
      results);
}

template <typename T>
Task<std::vector<internal::KeptAs<T>>> WhenAll(std::vector<Task<T>> tasks) {
  std::vector<internal::BranchResult<T>> results(tasks.size());
  internal::Branches branches;
  for (size_t i = 0; i < tasks.size(); ++i) {
    branches.Add(std::move(tasks[i]), results[i]);
  }
  const auto goes_on = [](size_t) { return true; };
  co_await branches.Run(goes_on);
  std::vector<internal::KeptAs<T>> values;
  values.reserve(results.size());
  // mutant: P23_WhenAllTurnsItsResultsAround
  for (auto& result : results) values.push_back(*std::move(result.value));
  co_return values;
}

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_WHEN_ALL_H_
