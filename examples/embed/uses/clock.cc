// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/clock.h"

int main() {
  const trolley::Clock& clock = trolley::MonotonicClock();
  const trolley::Instant before = clock.Now();
  return clock.Now() < before ? 1 : 0;
}
