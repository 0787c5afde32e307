// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/poller/chaos_poller.h"

int main() {
  const auto make = trolley::Chaos(
      [](trolley::Sys& sys, const trolley::Clock& clock) {
        return trolley::CreatePoller("poll", sys, clock);
      },
      {.seed = 7});
  return make != nullptr ? 0 : 1;
}
