// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pipe/internal/named_pipe_dialer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/link/internal/ready_watch.h"
#include "trolley/actors/pipe/internal/pipe_transport.h"
#include "trolley/poller/errno_status.h"

namespace trolley::internal {
namespace {

// `flags`: O_RDONLY or O_WRONLY. -ENXIO becomes Unavailable.
absl::StatusOr<ScopedFd> OpenPipe(Sys& sys, const std::string& path,
                                  int flags) {
  ScopedFd fd(sys, sys.Openat(AT_FDCWD, path.c_str(),
                              flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0));
  if (fd.get() == -ENXIO) {
    return absl::UnavailableError(absl::StrCat("no process reads ", path,
                                               "; is the other side running?"));
  }
  if (!fd) return ErrnoStatus(fd.get(), SysCall::kOpenat, path);
  fd.CheckFlags();
  struct stat file = {};
  const int result = sys.Fstat(fd.get(), &file);
  if (result < 0) return ErrnoStatus(result, SysCall::kFstat, path);
  if (!S_ISFIFO(file.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is no named pipe; make one with mkfifo"));
  }
  return fd;
}

absl::Status CheckPath(absl::string_view name, const std::string& path) {
  if (!path.empty() && path.find('\0') == std::string::npos) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "PipePaths::", name, path.empty() ? " is empty" : " has a NUL byte"));
}

}  // namespace

NamedPipeDialer::NamedPipeDialer(PipePaths paths, absl::Duration wait)
    : paths_(std::move(paths)),
      endpoint_(absl::StrCat(paths_.in, " and ", paths_.out)),
      wait_(wait) {}

absl::Status NamedPipeDialer::Check() {
  absl::Status valid = CheckPath("in", paths_.in);
  if (valid.ok()) valid = CheckPath("out", paths_.out);
  if (valid.ok() && paths_.in == paths_.out) {
    valid = absl::InvalidArgumentError(
        "PipePaths::in and PipePaths::out are the same; a link needs a pipe "
        "for each direction");
  }
  return valid;
}

absl::Status NamedPipeDialer::OpenIn(Sys& sys) {
  // Once a writer has come and gone, the descriptor says so for good. The new
  // one is open before the old one closes: the other side finds a reader.
  const bool good = in_ && (PollsReadable(sys, in_.get()) & POLLHUP) == 0;
  if (good) return absl::OkStatus();
  absl::StatusOr<ScopedFd> in = OpenPipe(sys, paths_.in, O_RDONLY);
  if (in.ok()) in_ = *std::move(in);
  return in.status();
}

absl::StatusOr<ScopedFd> NamedPipeDialer::OpenBoth(Sys& sys) {
  absl::Status opened = OpenIn(sys);
  if (!opened.ok()) return opened;
  int left = 0;
  if (sys.Ioctl(in_.get(), FIONREAD, &left) < 0) left = 0;
  absl::StatusOr<ScopedFd> out = OpenOut(sys);
  // The other side reads before it writes. So these bytes are of one that has
  // gone.
  if (absl::IsUnavailable(out.status())) Discard(sys, left);
  return out;
}

void NamedPipeDialer::Discard(Sys& sys, int bytes) {
  char dropped[4096];
  while (bytes > 0) {
    const size_t most = std::min<size_t>(sizeof(dropped), bytes);
    const ssize_t n = sys.Read(in_.get(), absl::MakeSpan(dropped, most));
    if (n <= 0 && n != -EINTR) return;
    bytes -= static_cast<int>(std::max<ssize_t>(n, 0));
  }
}

absl::StatusOr<ScopedFd> NamedPipeDialer::OpenOut(Sys& sys) const {
  absl::StatusOr<ScopedFd> out = OpenPipe(sys, paths_.out, O_WRONLY);
  if (!out.ok()) return out;
  const int locked = sys.Flock(out->get(), LOCK_EX | LOCK_NB);
  // mutant: P13_TwoProcessesWriteToOnePipe
  if (locked == -EWOULDBLOCK) {
    return absl::UnavailableError(
        absl::StrCat("another process writes to ", paths_.out,
                     "; a pipe of a link has one writer"));
  }
  if (locked < 0) return ErrnoStatus(locked, SysCall::kFlock, paths_.out);
  return out;
}

Task<absl::Status> NamedPipeDialer::AwaitPeer(ActorContext context) {
  if (PollsReadable(context.sys(), in_.get()) != 0) co_return absl::OkStatus();
  ReadyWatch watch(context);
  absl::Status watched = watch.Begin(in_.get(), Ready::kReadable);
  if (!watched.ok()) co_return watched;
  co_await watch.ready().Wait(context.Now() + wait_);
  watch.End();
  co_return absl::OkStatus();
}

Task<absl::StatusOr<LinkSocket>> NamedPipeDialer::Dial(ActorContext context) {
  absl::StatusOr<ScopedFd> out = OpenBoth(context.sys());
  if (absl::IsUnavailable(out.status()) && std::exchange(waits_, true)) {
    const absl::Status waited = co_await AwaitPeer(context);
    if (!waited.ok()) co_return waited;
    out = OpenBoth(context.sys());
  }
  if (!out.ok()) co_return out.status();
  waits_ = false;
  LinkSocket connected;
  connected.peer = {.name = absl::StrCat("the process that reads ", paths_.out),
                    .identity = endpoint_};
  connected.transport = std::make_unique<PipeTransport>(
      PipePair{.in = std::move(in_), .out = *std::move(out)},
      PipeTransport::Kind::kNamed);
  co_return std::move(connected);
}

}  // namespace trolley::internal
