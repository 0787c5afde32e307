// SPDX-License-Identifier: Apache-2.0
//
// BlockingThreads: the threads of a BlockingPool, and the queue in front of
// them. A job that a thread has run goes back to the loop of the pool's actor
// as a command (Bus::RunOnLoop). A bus that shuts down refuses messages of
// plain threads, but not commands, so the jobs under way still come back.
//
// Ownership: shared by the pool and its actor. Borrows the bus until one of the
//            two has ended.
// Threads:   thread-safe, except Start() and End(): the thread that owns the
//            pool.
// Bounds:    BlockingPoolOptions::threads and max_waiting.
// Ends:      End() drops the functions that wait, and waits for those that run.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_BLOCKING_THREADS_H_
#define TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_BLOCKING_THREADS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "trolley/actors/behaviour/blocking_options.h"
#include "trolley/actors/behaviour/internal/blocking_job.h"
#include "trolley/actors/bus.h"

namespace trolley::internal {

class BlockingThreads {
 public:
  using JobPtr = std::shared_ptr<BlockingJob>;

  // `options`: ValidateBlockingPoolOptions() was OK.
  BlockingThreads(const Bus& bus, const BlockingPoolOptions& options)
      : options_(options), bus_(&bus) {}
  BlockingThreads(const BlockingThreads&) = delete;
  BlockingThreads& operator=(const BlockingThreads&) = delete;
  ~BlockingThreads() { End(); }

  // ResourceExhausted: no thread is left; none was started.
  absl::Status Start();

  // Queues `job` and returns its number. When a thread has run it, Finish() is
  // called on loop `loop`, unless the bus or the pool ends first. Without
  // threads the job is run and finished at once.
  //
  //   ResourceExhausted   BlockingPoolOptions::max_waiting
  //   Unavailable         the pool has ended
  absl::StatusOr<uint64_t> Add(const JobPtr& job, int loop);
  // No coroutine waits for that job any more. If no thread has begun it, it
  // does not run.
  void Forget(uint64_t number);

  // The actor ends, so perhaps the bus does: no command is sent any more.
  void ForgetBus();
  // Drops the jobs that wait, and waits until the threads have ended.
  void End();

 private:
  struct Waiting {
    JobPtr job;
    int loop;
  };

  void Work();
  // There is something to take, or nothing will come any more.
  bool HasNews() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return ended_ || !queue_.empty();
  }

  const BlockingPoolOptions options_;
  absl::Mutex mutex_;
  const Bus* bus_ ABSL_GUARDED_BY(mutex_);  // null: it may be gone
  uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Waiting> queue_ ABSL_GUARDED_BY(mutex_);  // by number
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;                 // functions
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_BLOCKING_THREADS_H_
