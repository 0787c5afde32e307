// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/fault_sys.h"

int main() {
  trolley::FaultSys sys(trolley::RealSys());
  sys.FailNthOfAny(1);
  return sys.faults() == 0 ? 0 : 1;
}
