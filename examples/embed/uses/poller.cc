// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/poller.h"

int main() {
  const trolley::Instant never = trolley::Instant::Infinite();
  return trolley::Any(trolley::Ready::kNone) || never < never ? 1 : 0;
}
