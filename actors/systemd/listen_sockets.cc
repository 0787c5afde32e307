// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/systemd/listen_sockets.h"

#include <fcntl.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "trolley/actors/systemd/internal/environment.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

// sd_listen_fds(3): SD_LISTEN_FDS_START.
constexpr int kFirst = 3;

}  // namespace

absl::StatusOr<std::vector<ListenSocket>> TakeListenSockets(Sys& sys) {
  const std::string pid = internal::TakeVariable("LISTEN_PID");
  const std::string fds = internal::TakeVariable("LISTEN_FDS");
  const std::string fd_names = internal::TakeVariable("LISTEN_FDNAMES");
  std::vector<ListenSocket> sockets;
  if (pid.empty() && fds.empty()) return sockets;

  const absl::StatusOr<int64_t> owner = internal::NumberIn(
      "LISTEN_PID", pid, 1, std::numeric_limits<int32_t>::max());
  if (!owner.ok()) return owner.status();
  if (*owner != sys.Getpid()) return sockets;
  const absl::StatusOr<int64_t> count =
      internal::NumberIn("LISTEN_FDS", fds, 0, kMostListenSockets);
  if (!count.ok()) return count.status();

  std::vector<std::string> names(*count, "unknown");
  if (!fd_names.empty()) {
    names = absl::StrSplit(fd_names, ':');
    if (static_cast<int64_t>(names.size()) != *count) {
      return absl::InvalidArgumentError(
          absl::StrCat("LISTEN_FDNAMES has ", names.size(),
                       " names, and LISTEN_FDS is ", *count));
    }
  }
  for (int i = 0; i < *count; ++i) {
    const int fd = kFirst + i;
    const int result = sys.Fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (result < 0) {
      return absl::FailedPreconditionError(absl::StrCat(
          "descriptor ", fd, " of LISTEN_FDS: ",
          ErrnoStatus(result, SysCall::kFcntl, Printable(names[i])).message()));
    }
    sockets.push_back({.name = Printable(names[i]), .fd = ScopedFd(sys, fd)});
  }
  return sockets;
}

}  // namespace trolley
