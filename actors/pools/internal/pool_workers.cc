// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pools/internal/pool_workers.h"

#include <algorithm>
#include <utility>

#include "trolley/actors/pools/internal/key_hash.h"

namespace trolley::internal {
namespace {

// No call of ResizePool has this number.
constexpr uint64_t kReplaced = UINT64_MAX;

}  // namespace

PoolWorker* PoolOffers::Next() {
  if (workers_ == nullptr || workers_->size() == 0) return nullptr;
  const size_t size = workers_->size();
  if (only_first_) {
    return step_++ == 0 ? &workers_->at(first_ % size) : nullptr;
  }
  while (step_ < 2 * size) {
    const bool running = step_ < size;
    PoolWorker& worker = workers_->at((first_ + step_++) % size);
    if (worker.running() == running) return &worker;
  }
  return nullptr;
}

void PoolWorkers::Replace(PoolWorker& of, std::unique_ptr<PoolWorker> by) {
  by->index = of.index;
  std::swap(active_[of.index], by);
  of.Drain(kReplaced);
  draining_.push_back(std::move(by));
  Ended(of);
}

void PoolWorkers::Shrink(size_t size, uint64_t by) {
  closed_by_ = size == 0 && !line_.empty() ? by : 0;
  if (closed_by_ != 0) return;
  for (; active_.size() > size; active_.pop_back()) {
    active_.back()->Drain(by);
    draining_.push_back(std::move(active_.back()));
  }
}

bool PoolWorkers::Drains(uint64_t by) const {
  if (closed_by_ == by) return true;
  return std::any_of(draining_.begin(), draining_.end(),
                     [by](const auto& worker) {
                       return worker->drained_by() == by && !worker->ended();
                     });
}

void PoolWorkers::Ended(PoolWorker& worker) {
  worker.End();
  // Leases of it may be left: their replies are on the way.
  draining_.remove_if([](const auto& drained) {
    return drained->ended() && drained->load == 0;
  });
}

PoolWorker* PoolWorkers::Find(const Address& address) const {
  const auto is_it = [&](const auto& worker) {
    return worker->address() == address && !worker->ended();
  };
  const auto active = std::find_if(active_.begin(), active_.end(), is_it);
  if (active != active_.end()) return active->get();
  const auto drains = std::find_if(draining_.begin(), draining_.end(), is_it);
  return drains != draining_.end() ? drains->get() : nullptr;
}

std::vector<PoolWorkerInfo> PoolWorkers::Info() const {
  std::vector<PoolWorkerInfo> info;
  for (const auto& worker : active_) info.push_back(worker->Info());
  for (const auto& worker : draining_) {
    if (!worker->ended()) info.push_back(worker->Info());
  }
  return info;
}

PoolOffers PoolWorkers::FromLeastLoaded() {
  size_t least = next_;
  for (size_t step = 0; step < size(); ++step) {
    const size_t index = (next_ + step) % size();
    const PoolWorker& worker = at(index);
    const PoolWorker& best = at(least % size());
    if (worker.running() != best.running() ? worker.running()
                                           : worker.load < best.load) {
      least = index;
    }
  }
  return From(least);
}

PoolOffers PoolWorkers::OnlyOfKey(uint64_t hash) {
  if (size() == 0) return {};
  return PoolOffers(*this, WorkerOfKey(hash, static_cast<uint32_t>(size())),
                    /*only_first=*/true);
}

PoolWorker* PoolWorkers::FindFree() {
  if (!line_.empty()) return nullptr;
  for (size_t step = 0; step < size(); ++step) {
    PoolWorker& worker = at((next_ + step) % size());
    if (worker.free()) return &worker;
  }
  return nullptr;
}

void PoolWorkers::Serve(PoolWorker& worker) {
  if (line_.empty() || !worker.free()) return;
  PoolLease& first = *line_.front();
  first.place_.reset();
  first.Have(&worker);
  worker.Promise();
  first.freed_.NotifyOne();
  LeaveLine(line_.begin());
}

void PoolWorkers::LeaveLine(std::list<PoolLease*>::iterator place) {
  line_.erase(place);
  if (closed_by_ != 0) Shrink(0, closed_by_);
}

void PoolWorkers::Release(PoolWorker& worker) {
  --worker.load;
  worker.KeepPromise();
  if (worker.ended()) {
    Ended(worker);
  } else {
    // mutant: P22_TheFirstInTheLineIsForgotten
    Serve(worker);
  }
}

PoolLease::~PoolLease() {
  if (place_.has_value()) workers_.LeaveLine(*place_);
  Have(nullptr);
}

bool PoolLease::HasFree() {
  if (worker_ != nullptr) return true;
  if (place_.has_value()) return false;
  Have(workers_.FindFree());
  if (worker_ != nullptr) return true;
  place_ = workers_.line_.insert(workers_.line_.end(), this);
  return false;
}

void PoolLease::Have(PoolWorker* worker) {
  PoolWorker* const before = std::exchange(worker_, worker);
  if (worker != nullptr) ++worker->load;
  if (before != nullptr) workers_.Release(*before);
}

}  // namespace trolley::internal
