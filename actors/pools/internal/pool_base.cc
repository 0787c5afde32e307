// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pools/internal/pool_base.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/bus/options.h"

namespace trolley::internal {

void PoolBase::OnStart() {
  absl::Status started = ValidatePoolOptions(options_);
  if (started.ok()) started = Grow(options_.workers);
  if (!started.ok()) Fail(std::move(started));
}

absl::Status PoolBase::Grow(uint32_t workers) {
  while (workers_.size() < workers) {
    const size_t index = workers_.size();
    const int loop = options_.loops.empty()
                         ? static_cast<int>(index) % context().loops()
                         : options_.loops[index % options_.loops.size()];
    absl::StatusOr<std::unique_ptr<PoolWorker>> made = MakeWorker(loop);
    if (!made.ok()) {
      return absl::Status(made.status().code(),
                          absl::StrCat("the pool has ", index,
                                       " workers: ", made.status().message()));
    }
    workers_.Add(*std::move(made));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<PoolWorker>> PoolBase::MakeWorker(int loop) {
  absl::StatusOr<Seat> seat = ReserveAny(loop);
  if (!seat.ok()) return seat.status();
  Watch watch(Self(this), seat->address());
  return std::make_unique<PoolWorker>(context(), options_, *std::move(seat),
                                      std::move(watch));
}

// Under the next name that is free. If this pool was restarted, workers of the
// pool before it may still be ending.
absl::StatusOr<Seat> PoolBase::ReserveAny(int loop) {
  constexpr uint32_t kMostTaken = 2 * PoolOptions::kMostWorkers;
  SpawnOptions spawn{.loop = loop,
                     .mailbox_capacity = options_.worker_mailbox,
                     .mailbox_bytes = options_.worker_mailbox_bytes};
  const std::string name = address().ToString();
  if (!ValidateActorName(name).ok()) return Reserve(spawn);  // it has none
  for (uint32_t taken = 0;; ++taken) {
    spawn.name = absl::StrCat(name, "/", last_number_++);
    absl::StatusOr<Seat> seat = Reserve(spawn);
    if (!absl::IsAlreadyExists(seat.status()) || taken == kMostTaken) {
      return seat;
    }
  }
}

MaybeTask<absl::Status> PoolBase::On(const ResizePool& m) {
  if (m.workers > PoolOptions::kMostWorkers) {
    return absl::InvalidArgumentError(absl::StrCat("ResizePool::workers is ",
                                                   m.workers, "; it is 0 to ",
                                                   PoolOptions::kMostWorkers));
  }
  const uint64_t resize = ++last_resize_;
  workers_.Shrink(m.workers, resize);
  drained_.Notify();  // this call may take the place of one that waits
  absl::Status grown = Grow(m.workers);
  // mutant: P22_AResizeIsAnsweredTooSoon
  if (!grown.ok() || !workers_.Drains(resize)) return grown;
  return WaitForDrained(resize);
}

Task<absl::Status> PoolBase::WaitForDrained(uint64_t resize) {
  while (workers_.Drains(resize)) co_await drained_.Wait();
  co_return absl::OkStatus();
}

PoolInfo PoolBase::On(const GetPoolInfo&) {
  return {.workers = workers_.Info(),
          .asks = asks_,
          .waiting = static_cast<uint32_t>(workers_.waiting()),
          .given = given_,
          .refused_full = refused_full_,
          .refused_empty = refused_empty_,
          .refused_asks = refused_asks_,
          .refused_cause = refused_cause_};
}

void PoolBase::On(const SeatTaken& m) {
  PoolWorker* const worker = workers_.Find(m.seat);
  if (worker == nullptr) return;
  worker->Taken();
  workers_.Serve(*worker);
}

void PoolBase::On(const SeatEmpty& m) {
  PoolWorker* const worker = workers_.Find(m.seat);
  if (worker == nullptr) return;
  worker->Emptied();
  if (worker->drains() && m.reason.kind == ExitReason::Kind::kDrained) {
    Ended(*worker);
    // mutant: P22_AWorkerThatHasEndedIsNotReplaced
  } else if (!worker->Restart()) {
    GiveUp(*worker, m.reason);
  }
}

void PoolBase::On(const Down& m) {
  PoolWorker* const worker = workers_.Find(m.actor);
  if (worker == nullptr) return;
  if (worker->drains()) return Ended(*worker);
  if (m.reason.kind != ExitReason::Kind::kLoopEnded) return;  // the bus ends
  absl::StatusOr<std::unique_ptr<PoolWorker>> made =
      MakeWorker(context().loop_index());
  if (!made.ok()) return Fail(made.status());
  workers_.Replace(*worker, *std::move(made));
}

void PoolBase::Ended(PoolWorker& worker) {
  workers_.Ended(worker);
  drained_.Notify();
}

void PoolBase::GiveUp(PoolWorker& worker, const ExitReason& reason) {
  if (worker.drains()) return Ended(worker);
  Fail(absl::ResourceExhaustedError(absl::StrCat(
      worker.address().ToString(), " was restarted ", options_.max_restarts,
      " times, which is PoolOptions::max_restarts, and has ended again: ",
      reason.ToString())));
}

// Ends this pool as failed.
void PoolBase::Fail(absl::Status why) {
  RunInBackground(
      [why = std::move(why)]() -> Task<absl::Status> { co_return why; });
}

absl::Status PoolBase::Refused(const absl::Status& last) {
  const std::string name = address().ToString();
  if (last.ok()) {
    ++refused_empty_;
    return absl::UnavailableError(absl::StrCat(
        "the pool ", name, " has no workers; ResizePool gives it some"));
  }
  ++(last.code() == absl::StatusCode::kResourceExhausted ? refused_full_
                                                         : refused_cause_);
  return absl::Status(last.code(),
                      absl::StrCat("no worker of the pool ", name,
                                   " takes the message: ", last.message()));
}

absl::Status PoolBase::RefusedAsk() {
  ++refused_asks_;
  return absl::ResourceExhaustedError(
      absl::StrCat("the pool ", address().ToString(), " has ", asks_,
                   " asks in flight, which is PoolOptions::max_asks"));
}

}  // namespace trolley::internal
