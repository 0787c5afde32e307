// SPDX-License-Identifier: Apache-2.0
//
// Monitor: a lock, and how plain threads wait under it until something holds or
// some time has passed. Every wait of a plain thread in the library ends here:
// the timed waits of Abseil follow the wall clock, so that an hour by which
// somebody sets it is an hour more or less of waiting; these follow the
// monotonic clock.
//
//   MonitorLock lock(&monitor_);
//   monitor_.WaitUntil(deadline, [&] { return !queue_.empty(); });
//
// Ownership: a member of what it guards.
// Threads:   thread-safe; never a loop's, which has its poller to wait in.
// Memory ordering: as of any mutex.
// Ends:      nobody holds it or waits in it when it is destroyed.

#ifndef TROLLEY_BUS_MONITOR_H_
#define TROLLEY_BUS_MONITOR_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "trolley/poller/clock.h"

namespace trolley {

class ABSL_LOCKABLE Monitor {
 public:
  Monitor() = default;
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

  // Those who wait look at their conditions again. Called under the lock, so
  // that who is woken may destroy the monitor once it has had the lock.
  void Notify() ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) { changed_.notify_all(); }

  // Gives the lock up until `holds()` is true, or until `deadline` of
  // MonotonicClock(). What `holds()` says in the end; it is called under the
  // lock.
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

}  // namespace trolley

#endif  // TROLLEY_BUS_MONITOR_H_
