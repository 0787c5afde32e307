// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/sys.h"

#include <fcntl.h>

#include "trolley/poller/scoped_fd.h"

int main() {
  trolley::Sys& sys = trolley::RealSys();
  const trolley::ScopedFd null(
      sys, sys.Openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC, 0));
  return null ? 0 : 1;
}
