// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/wake_fd.h"

#include <errno.h>
#include <sys/eventfd.h>

#include <cstdint>
#include <cstdlib>

#include "trolley/poller/errno_status.h"

namespace trolley {
namespace {

// So many failures of one write in a row cannot come from signals or from a
// full counter: the program has closed our descriptor. Going on would lose
// wakes, so the process ends.
constexpr int kMostWriteFailures = 1000;

}  // namespace

absl::StatusOr<ScopedFd> WakeFd::Open(Sys& sys) {
  ScopedFd fd(sys, sys.Eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return ErrnoStatus(fd.get(), SysCall::kEventfd, "for wakes");
  fd.CheckFlags();
  return fd;
}

void WakeFd::Notify() {
  // mutant: P16_AWakeIsForgotten, P16_EveryHundredthWakeIsForgotten
  if (pending_.exchange(true)) return;
  const uint64_t one = 1;
  const absl::Span<const char> bytes(reinterpret_cast<const char*>(&one),
                                     sizeof(one));
  for (int failures = 0;; ++failures) {
    const ssize_t written = sys_.Write(fd_.get(), bytes);
    if (written >= 0) return;
    if (failures == kMostWriteFailures) std::abort();
    if (written == -EAGAIN) {
      uint64_t count = 0;
      sys_.Read(fd_.get(), {reinterpret_cast<char*>(&count), sizeof(count)});
    }
  }
}

bool WakeFd::Drain() {
  uint64_t count = 0;
  while (sys_.Read(fd_.get(), {reinterpret_cast<char*>(&count),
                               sizeof(count)}) == -EINTR) {
  }
  return Take();
}

}  // namespace trolley
