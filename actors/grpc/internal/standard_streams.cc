// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/standard_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "trolley/poller/scoped_fd.h"

namespace trolley::internal {

StandardStreams::StandardStreams(Sys& sys) : sys_(sys) {
  const ScopedFd nothing(sys, sys.Openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0));
  if (!nothing) return;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (sys.Fcntl(fd, F_GETFD) != -EBADF) continue;
    const int held = sys.Fcntl(nothing.get(), F_DUPFD_CLOEXEC, fd);
    if (held == fd) {
      held_.push_back(fd);
    } else if (held >= 0) {
      sys.Close(held);  // another thread was faster
    }
  }
}

StandardStreams::~StandardStreams() {
  for (const int fd : held_) {
    const int flags = sys_.Fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_PATH) != 0) sys_.Close(fd);
  }
}

}  // namespace trolley::internal
