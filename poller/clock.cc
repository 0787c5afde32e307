// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/clock.h"

#include <time.h>

namespace trolley {
namespace {

class KernelClock final : public Clock {
 public:
  Instant Now() const override {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);  // cannot fail with this clock
    return Instant::FromNanos(int64_t{now.tv_sec} * 1'000'000'000 +
                              now.tv_nsec);
  }
};

}  // namespace

const Clock& MonotonicClock() {
  static const KernelClock* const clock = new KernelClock;  // never destroyed
  return *clock;
}

}  // namespace trolley
