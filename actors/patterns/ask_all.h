// SPDX-License-Identifier: Apache-2.0
//
// AskAll: asks several actors the same, and waits for all replies. AskEach:
// sends the same asks and gives a task for each, for Quorum() and the others.
//
//   std::vector<Ref<Replica>> replicas_;
//
//   auto replies = co_await AskAll(replicas_, GetValue{7}, absl::Seconds(1));
//   for (const absl::StatusOr<int>& reply : replies) Use(reply);
//
//   auto fastest = co_await FirstOk(
//       AskEach(replicas_, GetValue{7}, absl::Seconds(1)));
//
// The asks are sent in the call, in the order of the Refs. Each reply is what
// Ref::Ask() resolves to, with its errors: so a full mailbox is a reply, too.
// The message is copied for each actor.
//
// A message that g++ 12 would destroy twice is refused at compile time; give it
// a name first (actors/task.h).
//
// Ownership: a task owns its ask. A task that is destroyed cancels its ask,
//            whether it has begun or not.
// Threads:   loop thread only, in a coroutine handler of the actor that asks.
// Bounds:    one ask for each Ref: LoopOptions::max_pending_asks.
// Ends:      each ask at its deadline: `timeout` from the call, or that of the
//            message in hand if it is sooner.

#ifndef TROLLEY_ACTORS_PATTERNS_ASK_ALL_H_
#define TROLLEY_ACTORS_PATTERNS_ASK_ALL_H_

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/task.h"

namespace trolley {
namespace internal {

template <typename A, typename M>
using AskOf = decltype(std::declval<const Ref<A>&>().Ask(
    std::declval<const M&>(), absl::Duration()));
template <typename A, typename M>
using AskReply = ResultOf<AskOf<A, M>>;

template <typename Ask>
Task<ResultOf<Ask>> AwaitAsk(std::unique_ptr<Ask> ask) {
  co_return co_await AwaitNamed(*ask);
}
template <typename Ask>
Task<std::vector<ResultOf<Ask>>> AwaitAsks(
    std::vector<std::unique_ptr<Ask>> asks) {
  std::vector<ResultOf<Ask>> replies;
  replies.reserve(asks.size());
  for (std::unique_ptr<Ask>& ask : asks) {
    replies.push_back(co_await AwaitNamed(*ask));
    ask.reset();
  }
  co_return replies;
}

// Sends one ask.
template <typename A, typename M>
std::unique_ptr<AskOf<A, M>> SendAsk(const Ref<A>& ref, const M& message,
                                     absl::Duration timeout) {
  return std::unique_ptr<AskOf<A, M>>(
      new AskOf<A, M>(ref.Ask(message, timeout)));
}

}  // namespace internal

// Resolves to the replies, in the order of `refs`.
template <typename A, typename X>
Task<std::vector<internal::AskReply<A, std::decay_t<X>>>> AskAll(
    const std::vector<Ref<A>>& refs, X&& message, absl::Duration timeout) {
  internal::CheckTemporaries<X>();
  using M = std::decay_t<X>;
  std::vector<std::unique_ptr<internal::AskOf<A, M>>> asks;
  asks.reserve(refs.size());
  for (const Ref<A>& ref : refs) {
    // mutant: P23_AskAllAsksTheFirstAgain
    asks.push_back(internal::SendAsk<A, M>(ref, message, timeout));
  }
  return internal::AwaitAsks(std::move(asks));
}

// One task for each of `refs`, which resolves to its reply.
template <typename A, typename X>
std::vector<Task<internal::AskReply<A, std::decay_t<X>>>> AskEach(
    const std::vector<Ref<A>>& refs, X&& message, absl::Duration timeout) {
  internal::CheckTemporaries<X>();
  using M = std::decay_t<X>;
  std::vector<Task<internal::AskReply<A, M>>> tasks;
  tasks.reserve(refs.size());
  for (const Ref<A>& ref : refs) {
    tasks.push_back(
        internal::AwaitAsk(internal::SendAsk<A, M>(ref, message, timeout)));
  }
  return tasks;
}

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_ASK_ALL_H_
