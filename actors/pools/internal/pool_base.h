// SPDX-License-Identifier: Apache-2.0
//
// PoolBase: the part of a pool that does not know the class of its workers: how
// many there are, how they are replaced, and the counts of PoolInfo.
//
// Ownership: as any actor.
// Threads:   loop thread only.
// Bounds:    PoolOptions.
// Ends:      as any actor. Then its workers end.

#ifndef TROLLEY_ACTORS_POOLS_INTERNAL_POOL_BASE_H_
#define TROLLEY_ACTORS_POOLS_INTERNAL_POOL_BASE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/maybe_task.h"
#include "trolley/actors/pools/internal/pool_worker.h"
#include "trolley/actors/pools/internal/pool_workers.h"
#include "trolley/actors/pools/pool_messages.h"
#include "trolley/actors/pools/pool_options.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/watch.h"

namespace trolley::internal {

class PoolBase : public Actor {
 public:
  // A message in flight must not keep the next one waiting.
  static constexpr bool kInterleaved = true;

  MaybeTask<absl::Status> On(const ResizePool& m);
  PoolInfo On(const GetPoolInfo&);
  // From the seats and the watches of the workers.
  void On(const SeatTaken& m);
  void On(const SeatEmpty& m);
  void On(const Down& m);

 protected:
  explicit PoolBase(PoolOptions options) : options_(std::move(options)) {}

  void OnStart() override;

  virtual absl::StatusOr<Seat> Reserve(const SpawnOptions& options) = 0;

  PoolWorkers& workers() { return workers_; }

  // Counts a message that `worker` has taken.
  void Given(PoolWorker& worker) {
    ++given_;
    workers_.Took(worker);
  }
  // Counts a message that no worker has taken, and says why. `last`: what the
  // last one that it was offered to said; OK: it was offered to none.
  absl::Status Refused(const absl::Status& last);

  // True: the pool has no credit for a further ask.
  bool HasMostAsks() const { return asks_ >= options_.max_asks; }
  absl::Status RefusedAsk();

  // Counts the message in hand if it is an ask, as long as it lives.
  class CountedAsk {
   public:
    explicit CountedAsk(PoolBase& pool)
        : asks_(pool.is_ask() ? &pool.asks_ : nullptr) {
      // mutant: P22_AnAskInFlightIsNotCounted
      if (asks_ != nullptr) ++*asks_;
    }
    CountedAsk(const CountedAsk&) = delete;
    CountedAsk& operator=(const CountedAsk&) = delete;
    ~CountedAsk() {
      if (asks_ != nullptr) --*asks_;
    }

   private:
    uint32_t* const asks_;
  };

 private:
  absl::Status Grow(uint32_t workers);
  absl::StatusOr<std::unique_ptr<PoolWorker>> MakeWorker(int loop);
  absl::StatusOr<Seat> ReserveAny(int loop);
  Task<absl::Status> WaitForDrained(uint64_t resize);
  // A worker that drains has ended.
  void Ended(PoolWorker& worker);
  // `worker` has ended as often as the options allow.
  void GiveUp(PoolWorker& worker, const ExitReason& reason);
  void Fail(absl::Status why);

  const PoolOptions options_;
  PoolWorkers workers_;
  uint64_t last_number_ = 0;  // of the names of workers
  uint64_t last_resize_ = 0;
  AsyncCondition drained_;
  uint32_t asks_ = 0;
  uint64_t given_ = 0;
  uint64_t refused_full_ = 0;
  uint64_t refused_empty_ = 0;
  uint64_t refused_asks_ = 0;
  uint64_t refused_cause_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_POOLS_INTERNAL_POOL_BASE_H_
