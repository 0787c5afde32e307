// SPDX-License-Identifier: Apache-2.0
//
// BlockingGate: the actor of a BlockingPool. A Run() is an ask to it. It queues
// the function, waits until a thread has run it, and replies with the result.
// So the asks' deadlines, limits, errors and counts are those of the functions,
// and a shutdown waits for the functions that run.
//
// Ownership: the bus owns it. It shares the threads with the pool.
// Threads:   as any actor.
// Bounds:    BlockingPoolOptions. An asker that no longer waits ends its
//            handler, and with it the job, unless a thread has begun it.
// Ends:      with the pool or with the bus.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_BLOCKING_GATE_H_
#define TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_BLOCKING_GATE_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/internal/blocking_job.h"
#include "trolley/actors/behaviour/internal/blocking_threads.h"
#include "trolley/actors/task.h"

namespace trolley::internal {

class BlockingGate : public Actor {
 public:
  static constexpr bool kInterleaved = true;

  explicit BlockingGate(std::shared_ptr<BlockingThreads> threads)
      : threads_(std::move(threads)) {}
  ~BlockingGate() override { threads_->ForgetBus(); }

  template <typename R>
  Task<BlockingResult<R>> On(BlockingCall<R> call) {
    const auto job = std::make_shared<BlockingJobOf<R>>(std::move(call));
    const absl::StatusOr<uint64_t> number =
        threads_->Add(job, context().loop_index());
    if (!number.ok()) co_return number.status();
    const Forgetter forgetter{*threads_, *job, *number};
    while (!job->finished()) co_await job->finishing().Wait();
    co_return job->TakeResult();
  }

 private:
  // In the frame of a handler: the end of the handler is that of the job.
  struct Forgetter {
    BlockingThreads& threads;
    const BlockingJob& job;
    const uint64_t number;
    ~Forgetter() {
      // mutant: P6_AFunctionThatNobodyWaitsForRuns
      if (!job.finished()) threads.Forget(number);
    }
  };

  const std::shared_ptr<BlockingThreads> threads_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_BLOCKING_GATE_H_
