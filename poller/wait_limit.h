// SPDX-License-Identifier: Apache-2.0
//
// WaitLimit: the time left until a deadline, in the forms that system calls
// take. Make a new one before each call. A call that a signal interrupted then
// waits for the rest of the time, not for the whole time again.
//
//   WaitLimit limit(clock, deadline);
//   int ready = sys.EpollPwait2(set, events, limit.spec());
//
// A value type; one thread. It always rounds up: a wait that is a little too
// long is only late, but one that is a little too short makes the loop spin.

#ifndef TROLLEY_POLLER_WAIT_LIMIT_H_
#define TROLLEY_POLLER_WAIT_LIMIT_H_

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "trolley/poller/clock.h"
#include "trolley/poller/instant.h"

namespace trolley {

class WaitLimit {
 public:
  // Does not read the clock when the deadline is infinite or the epoch.
  WaitLimit(const Clock& clock, Instant deadline)
      : infinite_(deadline.is_infinite()) {
    if (!infinite_ && deadline > Instant()) {
      left_ns_ = std::max<int64_t>(
          0, deadline.nanos() - std::max<int64_t>(0, clock.Now().nanos()));
    }
    // mutant: P16_TimeIsRoundedUpToMilliseconds, P16_AFarDeadlineWrapsAround
    spec_.tv_sec = left_ns_ / 1'000'000'000;
    spec_.tv_nsec = left_ns_ % 1'000'000'000;
  }

  // True when the deadline has passed: the call must not wait.
  bool passed() const { return !infinite_ && left_ns_ == 0; }

  // Null means no limit. Valid as long as this object. The kernel may write
  // into it.
  timespec* spec() { return infinite_ ? nullptr : &spec_; }

  // In milliseconds; -1 means no limit. A limit above INT_MAX (25 days) is cut
  // to that, so the caller must look at the clock after the wait.
  int millis() const {
    if (infinite_) return -1;
    const int64_t up = left_ns_ / 1'000'000 + (left_ns_ % 1'000'000 != 0);
    return static_cast<int>(
        std::min<int64_t>(up, std::numeric_limits<int>::max()));
  }

 private:
  bool infinite_;
  int64_t left_ns_ = 0;
  timespec spec_ = {};
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_WAIT_LIMIT_H_
