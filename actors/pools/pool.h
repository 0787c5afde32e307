// SPDX-License-Identifier: Apache-2.0
//
// Pool<Worker, Policy>: an actor that passes its messages on to workers. It
// takes each message that a Worker takes, with the same reply. So a Ref to it
// is used as a Ref to one worker:
//
//   class Resizer : public trolley::Actor {
//    public:
//     absl::StatusOr<Image> On(const Resize& m);
//   };
//   using Resizers = trolley::Pool<Resizer, trolley::WorkPulling>;
//
//   absl::StatusOr<trolley::Ref<Resizers>> pool = bus.Spawn<Resizers>(
//       {.name = "resizers"}, trolley::PoolOptions{.workers = 8});
//   trolley::Ref<trolley::Protocol<Image(Resize)>> resizer = *pool;
//   absl::StatusOr<Image> small = co_await resizer.Ask(Resize{big}, timeout);
//
// Policies: pool_policies.h. ResizePool and GetPoolInfo: pool_messages.h.
// Limits and restarts: pool_options.h.
//
// The workers are spread over the loops. A worker is called "<pool>/<number>",
// and has no name if the pool has none. If Worker lists messages in Receives
// (actors/wire_methods.h), so does the pool, unless its policy is Broadcast.
//
// What passes through the pool:
//
//   deadline      the worker gets that of the message
//   cancellation  if the asker no longer waits, so does the pool: the worker's
//                 handler is cancelled, or its message is dropped
//   reply         the asker gets the worker's, or its error
//   trace         the worker's message is in it
//   sender        the worker's Actor::sender() is the pool
//
// The error of an ask, beside those of the worker's handler:
//
//   ResourceExhausted   no worker's mailbox took it; PoolOptions::max_asks; or
//                       the mailbox of the pool is full
//   Unavailable         the pool has no workers
//   FailedPrecondition  a cycle of asks: a worker asks its own pool, and no
//                       other worker took it
//   Internal            the worker threw; the text says what
//
// When a worker throws, or is stopped, the pool replaces it: the next object
// sits in the same seat (actors/seat.h), with the same address and name. Its
// mailbox stays, with all messages but the one in hand, whose ask fails. Other
// workers are not touched. If it ends more often than PoolOptions allow, the
// pool ends as failed. Options that are not valid, and workers that cannot be
// spawned, end it so at its start.
//
// A worker that asks its own pool waits for another worker. With WorkPulling
// and all workers busy, both wait until a deadline.
//
// What the pool costs: pool_policies.h. A message that throws when it is copied
// or moved ends the pool, as does a Key that throws.
//
// Ownership: as any actor. It owns its workers.
// Threads:   as any actor. `make` is called on the loops of the workers, on
//            several at one time.
// Bounds:    its mailbox: SpawnOptions::mailbox_capacity. Asks in flight:
//            PoolOptions::max_asks. The mailbox of each worker:
//            PoolOptions::worker_mailbox.
// Ends:      as any actor; its workers end then. Asks in flight fail with
//            NotFound. Messages in the mailboxes of workers become dead
//            letters. To end a pool without a loss, ask it to
//            ResizePool{.workers = 0}, and stop it when the reply has come.
//            The shutdown of a bus waits for all messages, and ends the workers
//            before the pool.

#ifndef TROLLEY_ACTORS_POOLS_POOL_H_
#define TROLLEY_ACTORS_POOLS_POOL_H_

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "trolley/actors/maybe_task.h"
#include "trolley/actors/pools/internal/pool_base.h"
#include "trolley/actors/pools/internal/pool_forwarder.h"
#include "trolley/actors/pools/internal/pool_reply.h"
#include "trolley/actors/pools/pool_messages.h"
#include "trolley/actors/pools/pool_options.h"
#include "trolley/actors/pools/pool_policies.h"
#include "trolley/actors/seat.h"
#include "trolley/bus/options.h"

namespace trolley {

template <typename Worker, typename Policy = RoundRobin>
class Pool : public internal::PoolForwarder<Worker, Policy>,
             public internal::PoolReceives<Worker, Policy> {
  template <typename M>
  using Reply = internal::PoolReply<Worker, Policy, M>;

 public:
  using Make = std::function<std::unique_ptr<Worker>()>;

  // `make` makes a worker, at the start and for each restart. If it throws, or
  // returns null, that worker has failed.
  explicit Pool(
      PoolOptions options = {},
      Make make = [] { return std::make_unique<Worker>(); })
      : internal::PoolForwarder<Worker, Policy>(std::move(options)),
        make_(std::move(make)) {}

  using internal::PoolBase::On;

  // Any message that a Worker takes.
  template <typename M>
  requires internal::PoolTakes<Worker, M> MaybeTask<Reply<M>> On(M&& message) {
    if (this->is_ask() && this->HasMostAsks()) {
      return Reply<M>(this->RefusedAsk());
    }
    using Told = internal::ToldReply<Reply<M>>;
    if constexpr (std::is_same_v<Policy, Broadcast>) {
      static_assert(std::is_copy_constructible_v<M>,
                    "Broadcast sends a copy to each worker, so the message "
                    "must be copyable");
      if (this->is_ask()) return this->AskAll(message);
      return Told::Of(this->TellAll(message));
    } else if constexpr (Policy::kWaitsForTells || !Told::kExists) {
      return this->AskOne(message);
    } else {
      if (this->is_ask()) return this->AskOne(message);
      return Told::Of(this->TellOne(message));
    }
  }

 private:
  absl::StatusOr<Seat> Reserve(const SpawnOptions& options) override {
    return Seat::Reserve<Worker>(this->template Self<internal::PoolBase>(this),
                                 options, make_);
  }

  const Make make_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_POOLS_POOL_H_
