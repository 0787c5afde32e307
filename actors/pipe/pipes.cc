// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pipe/pipes.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trolley/poller/errno_status.h"

namespace trolley {
namespace {

// `mode`: O_RDONLY or O_WRONLY.
absl::StatusOr<ScopedFd> Inherited(Sys& sys, int fd, int mode) {
  const std::string name = absl::StrCat("descriptor ", fd);
  struct stat file = {};
  const int flags = sys.Fcntl(fd, F_GETFL);
  if (flags == -EBADF) {
    return absl::FailedPreconditionError(absl::StrCat(
        name, " is closed; this process was started without its pipe"));
  }
  if (flags < 0) return ErrnoStatus(flags, SysCall::kFcntl, name);
  const int result = sys.Fstat(fd, &file);
  if (result < 0) return ErrnoStatus(result, SysCall::kFstat, name);
  if (!S_ISFIFO(file.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " is no pipe; for a socket use a StreamLink"));
  }
  if ((flags & O_ACCMODE) != mode) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " is not open for ",
                     mode == O_RDONLY ? "reading" : "writing", " alone"));
  }
  ScopedFd own(sys, sys.Dup(fd));
  if (!own) return ErrnoStatus(own.get(), SysCall::kDup, name);
  return own;
}

}  // namespace

absl::StatusOr<PipePair> InheritedPipes(Sys& sys, int in, int out) {
  absl::StatusOr<ScopedFd> reads = Inherited(sys, in, O_RDONLY);
  if (!reads.ok()) return reads.status();
  absl::StatusOr<ScopedFd> writes = Inherited(sys, out, O_WRONLY);
  if (!writes.ok()) return writes.status();
  return PipePair{.in = *std::move(reads), .out = *std::move(writes)};
}

}  // namespace trolley
