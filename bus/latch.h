// SPDX-License-Identifier: Apache-2.0
//
// Latch: something that happens once. Plain threads wait for it.
//
//   trolley::Latch ended;
//   ref.address().WhenEnded([&](const trolley::ActorEnd&) { ended.Open(); });
//   if (!ended.Wait(absl::Seconds(5))) ...
//
// It is absl::Notification with waits that follow the monotonic clock.
//
// Ownership: shared by the threads that wait and the thread that opens it, if a
//            wait may end first.
// Threads:   thread-safe. A loop may open a latch and must not wait for one.
// Memory ordering: what happened before Open() is visible to a thread that has
//            seen the latch open.
// Ends:      once open it stays open. A thread that has seen it open may
//            destroy it.

#ifndef TROLLEY_BUS_LATCH_H_
#define TROLLEY_BUS_LATCH_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "trolley/bus/thread/monitor.h"
#include "trolley/poller/clock.h"

namespace trolley {

class Latch {
 public:
  void Open() {
    internal::MonitorLock lock(&monitor_);
    open_ = true;
    monitor_.Notify();
  }

  bool is_open() const {
    internal::MonitorLock lock(&monitor_);
    return open_;
  }

  // Waits until it is open, but no longer than `limit`. Zero or less does not
  // wait; infinite waits for ever. True: it is open.
  bool Wait(absl::Duration limit = absl::InfiniteDuration()) const {
    // mutant: P17_AThreadDoesNotWaitForWhatIsFar
    if (limit <= absl::ZeroDuration()) return is_open();
    const Instant until = MonotonicClock().Now() + limit;
    internal::MonitorLock lock(&monitor_);
    return monitor_.WaitUntil(until, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(
                                         monitor_) { return open_; });
  }

 private:
  mutable internal::Monitor monitor_;
  bool open_ ABSL_GUARDED_BY(monitor_) = false;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LATCH_H_
