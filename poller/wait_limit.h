// SPDX-License-Identifier: Apache-2.0
//
// WaitLimit: how long a kernel call may still wait for an absolute deadline, in
// the forms that kernel calls take. Made anew before each call, so that a
// signal in between shortens the rest instead of starting it over.
//
// A value type, one thread. Rounding is always up: a wait that is a little too
// long is late by that little, one that is too short turns into a spin.

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
  // Reads the clock only when the deadline is neither infinite nor the epoch.
  WaitLimit(const Clock& clock, Instant deadline)
      : infinite_(deadline.is_infinite()) {
    if (!infinite_ && deadline > Instant()) {
      left_ns_ = std::max<int64_t>(
          0, deadline.nanos() - std::max<int64_t>(0, clock.Now().nanos()));
    }
    spec_.tv_sec = left_ns_ / 1'000'000'000;
    spec_.tv_nsec = left_ns_ % 1'000'000'000;
  }

  // The deadline has come: the call only looks.
  bool passed() const { return !infinite_ && left_ns_ == 0; }

  // Null for ever. Valid as long as this object; the kernel may write into it.
  timespec* spec() { return infinite_ ? nullptr : &spec_; }

  // -1 for ever. A limit beyond int (25 days) ends early: look at the clock.
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
