// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pools/internal/pool_worker.h"

#include <algorithm>

namespace trolley::internal {
namespace {

// Before the restart that follows `before` others.
absl::Duration PauseAfter(size_t before, const PoolOptions& options) {
  if (before == 0) return absl::ZeroDuration();
  absl::Duration pause = options.restart_backoff;
  for (; before > 1 && pause < options.longest_backoff; --before) pause *= 2;
  return std::min(pause, options.longest_backoff);
}

}  // namespace

void PoolWorker::Taken() {
  state_ = State::kRunning;
  GoOnDraining();
}

void PoolWorker::KeepPromise() {
  if (!promised_) return;
  promised_ = false;
  GoOnDraining();
}

bool PoolWorker::Restart() {
  const Instant now = context_.Now();
  while (!restarts_.empty() &&
         restarts_.front() + options_.restart_window <= now) {
    restarts_.pop_front();
  }
  // mutant: P22_AWorkerIsReplacedOnceMore
  if (restarts_.size() >= options_.max_restarts) return false;
  const absl::Duration pause = PauseAfter(restarts_.size(), options_);
  restarts_.push_back(now);
  ++all_restarts_;
  if (pause <= absl::ZeroDuration()) {
    Fill();
  } else {
    context_.SetTimer(*this, now + pause);
  }
  return true;
}

void PoolWorker::Drain(uint64_t by) {
  drained_by_ = by;
  GoOnDraining();
}

void PoolWorker::End() {
  ended_ = true;
  Timer::Cancel();
  watch_.Forget();
  seat_.Close();
}

void PoolWorker::GoOnDraining() {
  if (!drains() || promised_ || ended_) return;
  if (state_ == State::kRunning) {
    // mutant: P22_AWorkerThatGoesDropsItsMailbox
    seat_.Vacate(/*drain=*/true);
  } else if (state_ == State::kResting) {
    Timer::Cancel();
    Fill();
  }
}

PoolWorkerInfo PoolWorker::Info() const {
  return {.address = address(),
          .name = address().ToString(),
          .loop = static_cast<int>(address().id().loop()),
          .running = running(),
          .drains = drains(),
          .load = load,
          .given = given,
          .restarts = all_restarts_};
}

}  // namespace trolley::internal
