// SPDX-License-Identifier: Apache-2.0
//
// PoolForwarder: passes the messages of a pool on to its workers. A tell that
// the pool does not wait for costs no coroutine.
//
//   method    message  to            waits for the end of it
//   TellOne   tell     one worker    no
//   AskOne    ask,     one worker    yes
//             tell
//   TellAll   tell     all workers   no
//   AskAll    ask      all workers   yes
//
// Ownership: as any actor.
// Threads:   loop thread only.
// Bounds:    a coroutine for each message that it waits for.
// Ends:      as any actor. The coroutines are destroyed, which cancels what
//            they have asked.

#ifndef TROLLEY_ACTORS_POOLS_INTERNAL_POOL_FORWARDER_H_
#define TROLLEY_ACTORS_POOLS_INTERNAL_POOL_FORWARDER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/pools/internal/key_hash.h"
#include "trolley/actors/pools/internal/pool_base.h"
#include "trolley/actors/pools/internal/pool_reply.h"
#include "trolley/actors/pools/pool_policies.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/task.h"

namespace trolley::internal {

template <typename Worker, typename Policy>
class PoolForwarder : public PoolBase {
 protected:
  template <typename M>
  using Reply = PoolReply<Worker, Policy, M>;

  explicit PoolForwarder(PoolOptions options)
      : PoolBase(WithMailbox(std::move(options))) {}

  template <typename M>
  absl::Status TellOne(M& message) {
    Delivery told = Delivery::kAccepted;
    PoolWorker* last = nullptr;
    PoolOffers offers = OffersOf(message);
    while (PoolWorker* worker = offers.Next()) {
      told = Tell(*worker, std::move(message));
      // mutant: P22_AMessageGoesToEachWorkerInTurn
      if (told == Delivery::kAccepted) return absl::OkStatus();
      last = worker;
    }
    return Refused(last != nullptr ? last->address().Explain(told)
                                   : absl::OkStatus());
  }

  // `message` lives as long as its handler.
  template <typename M>
  Task<Reply<M>> AskOne(M& message) {
    const CountedAsk counted(*this);
    PoolLease lease(workers());
    if constexpr (std::is_same_v<Policy, WorkPulling>) {
      if (workers().closed()) co_return Refused(absl::OkStatus());
      while (!lease.HasFree()) co_await lease.Freed();
    } else {
      lease.Begin(OffersOf(message));
    }
    absl::Status last;
    for (; lease.worker() != nullptr; lease.Next()) {
      auto asking = Ask(*lease.worker(), std::move(message));
      if (!asking.await_ready()) {
        Given(*lease.worker());
        co_return co_await asking;
      }
      const Reply<M> refused = co_await asking;
      // mutant: P22_AMessageThatOneWorkerRefusedIsNotOfferedOn
      last = ReplyStatus(refused);
    }
    co_return Refused(last);
  }

  // OK: each worker has got a copy.
  template <typename M>
  absl::Status TellAll(M& message) {
    const size_t size = workers().size();
    if (size == 0) return Refused(absl::OkStatus());
    absl::Status result;
    // mutant: P22_ABroadcastLeavesTheLastOneOut
    for (size_t i = 0; i < size; ++i) {
      PoolWorker& worker = workers().at(i);
      const Delivery told = i + 1 < size ? Tell(worker, M(message))
                                         : Tell(worker, std::move(message));
      if (told != Delivery::kAccepted) {
        result.Update(Refused(worker.address().Explain(told)));
      }
    }
    return result;
  }

  template <typename M>
  Task<Reply<M>> AskAll(M& message) {
    const CountedAsk counted(*this);
    if (workers().size() == 0) co_return Refused(absl::OkStatus());
    std::deque<Asked<M>> all;  // an ask cannot be moved
    for (size_t i = 0; i < workers().size(); ++i) {
      all.emplace_back(*this, workers().at(i), message);
    }
    std::vector<WorkerReply<Worker, M>> replies;
    replies.reserve(all.size());
    for (Asked<M>& asked : all) {
      WorkerReply<Worker, M> reply = co_await asked.asking;
      if (!asked.sent) reply = Refused(ReplyStatus(reply));
      replies.push_back(std::move(reply));
    }
    co_return std::move(replies);
  }

 private:
  // A loop may hold some credits of a mailbox that is empty. So a worker that
  // is free would refuse its next message if its mailbox were very small.
  static PoolOptions WithMailbox(PoolOptions options) {
    constexpr uint32_t kLeast = 16;
    if (std::is_same_v<Policy, WorkPulling> && options.worker_mailbox > 0) {
      options.worker_mailbox = std::max(options.worker_mailbox, kLeast);
    }
    return options;
  }

  template <typename M>
  PoolOffers OffersOf(const M& message) {
    if constexpr (requires { typename Policy::KeyOf; }) {
      using KeyOf = typename Policy::KeyOf;
      static_assert(std::is_invocable_v<KeyOf, const M&>,
                    "the Key of ConsistentHash has no operator() for this "
                    "message");
      return workers().OnlyOfKey(HashKey(KeyOf()(message)));
    } else if constexpr (std::is_same_v<Policy, LeastLoaded>) {
      return workers().FromLeastLoaded();
    } else {
      return workers().InTurn();
    }
  }

  // A refused message is not moved from.
  template <typename M>
  Delivery Tell(PoolWorker& worker, M&& message) {
    const Ref<Worker> to(worker.address());
    const Instant until = deadline();
    // mutant: P22_ATellLosesItsDeadline
    const Delivery told =
        until.is_infinite()
            ? to.template Tell<M>(std::move(message))
            : to.template TellWith<M>({.deadline = until}, std::move(message));
    if (told == Delivery::kAccepted) Given(worker);
    return told;
  }

  // What Ref::Ask returns. If it is ready at once, it was not sent, and the
  // message is not moved from.
  template <typename M>
  using AskOf = decltype(std::declval<const Ref<Worker>&>().template Ask<M>(
      absl::ZeroDuration(), std::declval<M>()));
  template <typename M>
  AskOf<M> Ask(PoolWorker& worker, M&& message) {
    // The deadline of the message in hand is the sooner one.
    return Ref<Worker>(worker.address())
        .template Ask<M>(absl::InfiniteDuration(), std::move(message));
  }

  // One of the asks of a broadcast.
  template <typename M>
  struct Asked {
    Asked(PoolForwarder& pool, PoolWorker& to, M copy)
        : lease(pool.workers()),
          asking(pool.Ask(to, std::move(copy))),
          sent(!asking.await_ready()) {
      lease.Have(&to);
      if (sent) pool.Given(to);
    }
    PoolLease lease;
    AskOf<M> asking;
    const bool sent;
  };
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_POOLS_INTERNAL_POOL_FORWARDER_H_
