// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/sim.h"

#include "trolley/poller/poller.h"

int main() {
  trolley::SimWorld world(/*seed=*/7);
  return world.NewPoller() != nullptr ? 0 : 1;
}
