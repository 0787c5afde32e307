// SPDX-License-Identifier: Apache-2.0
//
// Monitor: a lock with timed waits that follow the monotonic clock. Those of
// Abseil follow the wall clock: if it is set back by an hour, they last an hour
// longer. All waits of plain threads in the library use a Monitor.
//
//   MonitorLock lock(&monitor_);
//   monitor_.WaitUntil(deadline, [&] { return !queue_.empty(); });
//
// Ownership: a member of the object that it guards.
// Threads:   thread-safe. A loop must not wait in it.
// Memory ordering: as a mutex.
// Ends:      no thread may hold it or wait in it when it is destroyed.

#ifndef TROLLEY_BUS_THREAD_MONITOR_H_
#define TROLLEY_BUS_THREAD_MONITOR_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "trolley/poller/clock.h"

namespace trolley::internal {

class ABSL_LOCKABLE Monitor {
 public:
  Monitor() = default;
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

  // The threads that wait check their conditions again. Call it under the lock:
  // a thread that is woken may destroy the monitor when it has had the lock.
  void Notify() ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) { changed_.notify_all(); }

  // Releases the lock until holds() is true, or until `deadline` of
  // MonotonicClock(). Calls holds() under the lock, and returns its last
  // result.
  template <typename Condition>
  bool WaitUntil(Instant deadline, Condition holds)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> held(mutex_, std::adopt_lock);
    if (deadline.is_infinite()) {
      changed_.wait(held, holds);
    } else {
      // steady_clock is CLOCK_MONOTONIC, and so is MonotonicClock().
      changed_.wait_until(held,
                          std::chrono::steady_clock::time_point(
                              std::chrono::nanoseconds(deadline.nanos())),
                          holds);
    }
    held.release();
    return holds();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class ABSL_SCOPED_LOCKABLE MonitorLock {
 public:
  explicit MonitorLock(Monitor* monitor) ABSL_EXCLUSIVE_LOCK_FUNCTION(monitor)
      : monitor_(*monitor) {
    monitor_.Lock();
  }
  MonitorLock(const MonitorLock&) = delete;
  MonitorLock& operator=(const MonitorLock&) = delete;
  ~MonitorLock() ABSL_UNLOCK_FUNCTION() { monitor_.Unlock(); }

 private:
  Monitor& monitor_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_THREAD_MONITOR_H_
