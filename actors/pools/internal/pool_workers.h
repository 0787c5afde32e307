// SPDX-License-Identifier: Apache-2.0
//
// PoolWorkers: the workers of a pool, which of them a message is offered to,
// and the messages that wait for a free one.
//
//   PoolLease lease(workers);
//   for (lease.Begin(workers.InTurn()); lease.worker() != nullptr;
//        lease.Next()) {
//     if (Offer(*lease.worker())) break;
//   }
//
// A lease has a worker as long as a message is in flight: that is its load.
// Destroyed, it gives the worker to the message that has waited longest.
//
// Ownership: part of a pool; owns the workers. A lease lives in the frame of a
//            coroutine of the pool.
// Threads:   loop thread only.
// Bounds:    PoolOptions::kMostWorkers, and those that drain. One entry in the
//            line for each message that waits in the pool.
// Ends:      with the pool.

#ifndef TROLLEY_ACTORS_POOLS_INTERNAL_POOL_WORKERS_H_
#define TROLLEY_ACTORS_POOLS_INTERNAL_POOL_WORKERS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "trolley/actors/async_condition.h"
#include "trolley/actors/pools/internal/pool_worker.h"

namespace trolley::internal {

class PoolLease;
class PoolWorkers;

// The workers that a message is offered to, one after the other: from `first`
// on those that run, and then from `first` on those that do not run now, whose
// mailboxes take messages, too.
class PoolOffers {
 public:
  PoolOffers() = default;  // none
  PoolOffers(PoolWorkers& workers, size_t first, bool only_first)
      : workers_(&workers), first_(first), only_first_(only_first) {}

  // Null: all have been offered.
  PoolWorker* Next();

 private:
  PoolWorkers* workers_ = nullptr;
  size_t first_ = 0;
  bool only_first_ = false;
  size_t step_ = 0;
};

class PoolWorkers {
 public:
  size_t size() const { return active_.size(); }
  PoolWorker& at(size_t index) { return *active_[index]; }
  size_t waiting() const { return line_.size(); }

  // Behind the others.
  void Add(std::unique_ptr<PoolWorker> worker) {
    worker->index = active_.size();
    active_.push_back(std::move(worker));
  }
  // At the place of the worker `of`, which ends.
  void Replace(PoolWorker& of, std::unique_ptr<PoolWorker> by);
  // Takes out those from index `size` on; call number `by` of ResizePool. If
  // none is to stay, it waits until the line is empty.
  void Shrink(size_t size, uint64_t by);
  // True: a worker that this call takes out has not ended.
  bool Drains(uint64_t by) const;
  // True: there are none, or none stays.
  bool closed() const { return active_.empty() || closed_by_ != 0; }
  // A worker that drains has ended.
  void Ended(PoolWorker& worker);
  // Of those that drain, too; null: none.
  PoolWorker* Find(const Address& address) const;
  std::vector<PoolWorkerInfo> Info() const;

  // --- To whom ---
  PoolOffers InTurn() { return From(next_); }
  PoolOffers FromLeastLoaded();
  PoolOffers OnlyOfKey(uint64_t hash);
  // The mailbox of `worker` has taken the message.
  void Took(PoolWorker& worker) {
    ++worker.given;
    worker.KeepPromise();
    next_ = worker.index + 1;  // those that were passed over had their turn
  }

  // `worker` may have become free: gives it to the first in the line.
  void Serve(PoolWorker& worker);

 private:
  friend class PoolLease;
  friend class PoolOffers;

  PoolOffers From(size_t first) {
    return PoolOffers(*this, first, /*only_first=*/false);
  }
  PoolWorker* FindFree();
  void Release(PoolWorker& worker);
  void LeaveLine(std::list<PoolLease*>::iterator place);

  std::vector<std::unique_ptr<PoolWorker>> active_;
  std::list<std::unique_ptr<PoolWorker>> draining_;
  std::list<PoolLease*> line_;  // the one that has waited longest first
  size_t next_ = 0;             // whose turn it is, modulo size()
  // Not 0: this call of ResizePool takes all out when the line is empty.
  uint64_t closed_by_ = 0;
};

class PoolLease {
 public:
  explicit PoolLease(PoolWorkers& workers) : workers_(workers) {}
  PoolLease(const PoolLease&) = delete;
  PoolLease& operator=(const PoolLease&) = delete;
  ~PoolLease();

  // Null: it has none.
  PoolWorker* worker() const { return worker_; }

  // Has the first of `offers`, then the next one.
  void Begin(PoolOffers offers) {
    offers_ = offers;
    Next();
  }
  void Next() { Have(offers_.Next()); }
  // Has this one.
  void Have(PoolWorker* worker);

  // Has a free worker, or stands in the line until it has:
  //   while (!lease.HasFree()) co_await lease.Freed();
  bool HasFree();
  AsyncCondition::Waiter Freed() { return freed_.Wait(); }

 private:
  friend class PoolWorkers;

  PoolWorkers& workers_;
  PoolOffers offers_;
  PoolWorker* worker_ = nullptr;
  std::optional<std::list<PoolLease*>::iterator> place_;  // in the line
  AsyncCondition freed_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_POOLS_INTERNAL_POOL_WORKERS_H_
