// SPDX-License-Identifier: Apache-2.0
//
// The policies of a pool: which worker gets the next message. The policy is the
// second argument of the type.
//
//   trolley::Pool<Resizer, trolley::WorkPulling>
//
//   policy               the message goes to
//   RoundRobin           one worker after the other
//   LeastLoaded          the worker with the fewest messages in flight
//   ConsistentHash<Key>  the worker that the key of the message belongs to
//   Broadcast            all workers; each gets a copy
//   WorkPulling          a free worker: one without a message in flight. If
//                        there is none, the message waits in the pool
//
//   policy           if that mailbox is full       if the pool has no workers
//   RoundRobin       the next one that takes it;   refused
//   LeastLoaded        if none does: refused       refused
//   ConsistentHash   refused                       refused
//   Broadcast        that copy is refused          refused
//   WorkPulling      it is not: see below          refused
//
// Refused: an ask gets ResourceExhausted (full) or Unavailable (no workers). A
// tell counts as failed in the ledger, and by its cause in PoolInfo.
//
// Two kinds of pool. With RoundRobin, ConsistentHash and Broadcast, a tell
// leaves the pool at once: it costs one more tell, and its credit of the pool's
// mailbox is free again. With LeastLoaded and WorkPulling, the pool waits for
// the end of each message, tells too: it costs one ask, and the message holds
// its credit of the pool's mailbox. So the bound of all messages in flight is
// the mailbox_capacity of the pool. When it is full, a sender learns it from
// the pool: Tell() is kFull, and Send() waits. To the handler of a worker such
// a tell is an ask: is_ask() is true.
//
// WorkPulling is the policy for work of unequal length: a message that takes
// long holds up no other. Messages wait in the pool in the order in which they
// came, and the one that has waited longest gets the worker that comes free. An
// interleaved worker, too, has one message at a time.
//
// ConsistentHash. `Key` is a class without state, with an operator() for each
// message of the worker. The key is an integer, an enum or a string.
//
//   struct UserOf {
//     uint64_t operator()(const Deposit& m) const { return m.user; }
//     absl::string_view operator()(const Rename& m) const { return m.name; }
//   };
//   using Accounts = trolley::Pool<Account, trolley::ConsistentHash<UserOf>>;
//
// Messages with one key go to one worker, in the order in which the pool took
// them. When the pool grows from n to n + 1 workers, about 1 / (n + 1) of the
// keys move, all of them to the new worker. While ResizePool is under way, the
// old and the new worker of a key may handle messages of it at the same time.
//
// Broadcast. An ask gets a vector with the reply of each worker, in the order
// of PoolInfo; a worker that failed has its error there. It waits for all of
// them, up to the deadline. For a handler that returns R, Ref::Ask gives
// absl::StatusOr<std::vector<absl::StatusOr<R>>>; for one that returns nothing,
// absl::StatusOr<std::vector<absl::Status>>. The message must be copyable.
//
// Types; any thread.

#ifndef TROLLEY_ACTORS_POOLS_POOL_POLICIES_H_
#define TROLLEY_ACTORS_POOLS_POOL_POLICIES_H_

namespace trolley {

// kWaitsForTells: the pool waits for the end of each tell.
struct RoundRobin {
  static constexpr bool kWaitsForTells = false;
};
struct LeastLoaded {
  static constexpr bool kWaitsForTells = true;
};
template <typename Key>
struct ConsistentHash {
  static constexpr bool kWaitsForTells = false;
  using KeyOf = Key;
};
struct Broadcast {
  static constexpr bool kWaitsForTells = false;
};
struct WorkPulling {
  static constexpr bool kWaitsForTells = true;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_POOLS_POOL_POLICIES_H_
