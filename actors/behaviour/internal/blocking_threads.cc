// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/internal/blocking_threads.h"

#include <pthread.h>

#include <exception>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {

absl::Status BlockingFunctionThrew() {
  try {
    throw;
  } catch (const std::exception& thrown) {
    return absl::InternalError(
        absl::StrCat("the blocking function threw: ",
                     thrown.what() != nullptr ? Printable(thrown.what()) : ""));
  } catch (...) {
    return absl::InternalError(
        "the blocking function threw something that is no std::exception");
  }
}

absl::Status BlockingThreads::Start() {
  try {
    for (int i = 0; i < options_.threads; ++i) {
      threads_.emplace_back([this] { Work(); });
    }
  } catch (const std::system_error& refused) {
    const size_t started = threads_.size();
    End();
    return absl::ResourceExhaustedError(absl::StrCat(
        "the blocking pool cannot have ", options_.threads, " threads; it got ",
        started, ": ", refused.code().message(),
        "; set a smaller BlockingPoolOptions::threads, or raise the limit of "
        "threads (ulimit -u, pids.max, TasksMax)"));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> BlockingThreads::Add(const JobPtr& job, int loop) {
  if (options_.threads == 0) {
    job->Run();
    job->Finish();
    return 0;
  }
  absl::MutexLock lock(&mutex_);
  if (ended_) return absl::UnavailableError("the blocking pool has ended");
  const size_t threads = static_cast<size_t>(options_.threads);
  if (queue_.size() + running_ >= options_.max_waiting + threads) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the blocking pool has ", running_, " functions that run and ",
        queue_.size(), " that wait; BlockingPoolOptions::threads is ", threads,
        " and max_waiting is ", options_.max_waiting));
  }
  queue_.emplace(++last_number_, Waiting{.job = job, .loop = loop});
  return last_number_;
}

void BlockingThreads::Forget(uint64_t number) {
  std::map<uint64_t, Waiting>::node_type dropped;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  dropped = queue_.extract(number);
}

void BlockingThreads::ForgetBus() {
  absl::MutexLock lock(&mutex_);
  bus_ = nullptr;
}

void BlockingThreads::End() {
  std::map<uint64_t, Waiting> dropped;
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    dropped.swap(queue_);
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  ForgetBus();
}

void BlockingThreads::Work() {
  if (!options_.thread_name.empty()) {
    pthread_setname_np(pthread_self(), options_.thread_name.c_str());
  }
  for (;;) {
    Waiting next;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &BlockingThreads::HasNews));
      if (queue_.empty()) return;
      next = std::move(queue_.extract(queue_.begin()).mapped());
      ++running_;
    }
    next.job->Run();
    absl::MutexLock lock(&mutex_);
    --running_;
    // Under the lock, so that the bus is there until the command is sent.
    if (bus_ != nullptr) {
      bus_->RunOnLoop(next.loop, [job = next.job] { job->Finish(); });
    }
  }
}

}  // namespace trolley::internal
