// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/poller/chaos_poller.h"

#include "trolley/poller/clock.h"
#include "trolley/poller/sys.h"

int main() {
  const auto make =
      trolley::Chaos([](trolley::Sys& sys, const trolley::Clock& clock) {
        return trolley::CreatePoller("poll", sys, clock);
      });
  return make(trolley::RealSys(), trolley::MonotonicClock()).ok() ? 0 : 1;
}
