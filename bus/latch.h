// SPDX-License-Identifier: Apache-2.0
//
// Latch: something that happens once, and the plain threads that wait for it.
// As absl::Notification, but its waits follow the monotonic clock.
//
// Ownership: shared by who waits and who opens it, if the wait may end first.
// Threads:   thread-safe; loops open latches and never wait for one.
// Memory ordering: what happened before Open() is visible to who has seen it
//            open.
// Ends:      once open it stays open. May be destroyed by who has seen it open.

#ifndef TROLLEY_BUS_LATCH_H_
#define TROLLEY_BUS_LATCH_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "trolley/bus/monitor.h"
#include "trolley/poller/clock.h"

namespace trolley {

class Latch {
 public:
  void Open() {
    MonitorLock lock(&monitor_);
    open_ = true;
    monitor_.Notify();
  }

  bool is_open() const {
    MonitorLock lock(&monitor_);
    return open_;
  }

  // Until it is open, but no longer than `limit`, by the rule of
  // poller/instant.h: not at all, for a time, or for ever. True: it is open.
  bool Wait(absl::Duration limit = absl::InfiniteDuration()) const {
    if (limit <= absl::ZeroDuration()) return is_open();
    const Instant until = MonotonicClock().Now() + limit;
    MonitorLock lock(&monitor_);
    return monitor_.WaitUntil(until, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(
                                         monitor_) { return open_; });
  }

 private:
  mutable Monitor monitor_;
  bool open_ ABSL_GUARDED_BY(monitor_) = false;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LATCH_H_
