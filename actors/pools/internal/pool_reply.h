// SPDX-License-Identifier: Apache-2.0
//
// What the compiler knows of a message to a pool: whether it takes it, and what
// an ask with it resolves to.
//
//   PoolTakes<Resizer, Resize>                  true
//   PoolReply<Resizer, RoundRobin, Resize>      absl::StatusOr<Image>
//   PoolReply<Resizer, Broadcast, Resize>
//       absl::StatusOr<std::vector<absl::StatusOr<Image>>>
//
// Types and constants; any thread.

#ifndef TROLLEY_ACTORS_POOLS_INTERNAL_POOL_REPLY_H_
#define TROLLEY_ACTORS_POOLS_INTERNAL_POOL_REPLY_H_

#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/pools/pool_messages.h"
#include "trolley/actors/pools/pool_policies.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/watch.h"

namespace trolley::internal {

// The pool handles these itself, even if a worker could.
template <typename M>
inline constexpr bool kIsForPool =
    std::is_same_v<M, ResizePool> || std::is_same_v<M, GetPoolInfo> ||
    std::is_same_v<M, SeatTaken> || std::is_same_v<M, SeatEmpty> ||
    std::is_same_v<M, Down>;

template <typename Worker, typename M>
concept PoolTakes =
    std::is_same_v<M, std::remove_cvref_t<M>> && !kIsForPool<M> &&
    requires(Worker & worker, M&& message) {
  worker.On(std::move(message));
};

// What an ask to a worker resolves to. Type is not there if there is none, so
// that an On() with it is no candidate.
template <typename Worker, typename M>
struct WorkerReplyOf {};
template <typename Worker, typename M>
requires PoolTakes<Worker, M>
struct WorkerReplyOf<Worker, M> {
  using Type =
      decltype(std::declval<const Ref<Worker>&>().template AskAndWait<M>(
          absl::ZeroDuration(), std::declval<M>()));
};
template <typename Worker, typename M>
using WorkerReply = typename WorkerReplyOf<Worker, M>::Type;

// What an ask to the pool resolves to.
template <typename Worker, typename Policy, typename M>
struct PoolReplyOf : WorkerReplyOf<Worker, M> {};
template <typename Worker, typename M>
requires PoolTakes<Worker, M>
struct PoolReplyOf<Worker, Broadcast, M> {
  using Type = absl::StatusOr<std::vector<WorkerReply<Worker, M>>>;
};
template <typename Worker, typename Policy, typename M>
using PoolReply = typename PoolReplyOf<Worker, Policy, M>::Type;

inline const absl::Status& ReplyStatus(const absl::Status& reply) {
  return reply;
}
template <typename T>
const absl::Status& ReplyStatus(const absl::StatusOr<T>& reply) {
  return reply.status();
}

// The result of the handler of a tell, which reaches no asker: `told`, as a
// reply. There is none if a T cannot be made from nothing.
template <typename Reply>
struct ToldReply;
template <>
struct ToldReply<absl::Status> {
  static constexpr bool kExists = true;
  static absl::Status Of(absl::Status told) { return told; }
};
template <typename T>
struct ToldReply<absl::StatusOr<T>> {
  static constexpr bool kExists = std::is_default_constructible_v<T>;
  static absl::StatusOr<T> Of(absl::Status told) {
    if (!told.ok()) return told;
    return absl::StatusOr<T>(absl::in_place);
  }
};

// The Receives of the worker (actors/wire_methods.h), if the replies are those
// of the worker.
template <typename Worker, typename Policy>
struct PoolReceives {};
template <typename Worker, typename Policy>
requires(!std::is_same_v<Policy, Broadcast>)  //
    && requires {
  typename Worker::Receives;
}
struct PoolReceives<Worker, Policy> {
  using Receives = typename Worker::Receives;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_POOLS_INTERNAL_POOL_REPLY_H_
