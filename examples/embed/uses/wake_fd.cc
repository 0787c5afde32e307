// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/wake_fd.h"

#include <utility>

int main() {
  auto fd = trolley::WakeFd::Open(trolley::RealSys());
  if (!fd.ok()) return 1;
  trolley::WakeFd wake(trolley::RealSys(), *std::move(fd));
  wake.Notify();
  return wake.Take() ? 0 : 1;
}
