// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/internal/child_parts.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/child/internal/process_image.h"
#include "trolley/actors/child/internal/start_process.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

constexpr size_t kMostNameBytes = 64;

struct Pipe {
  ScopedFd reads;
  ScopedFd writes;
};

absl::Status Open(Sys& sys, absl::string_view what, Pipe& pipe) {
  int ends[2];
  const int made = sys.Pipe2(ends, O_CLOEXEC);
  if (made < 0) return ErrnoStatus(made, SysCall::kPipe2, what);
  pipe = {.reads = ScopedFd(sys, ends[0]), .writes = ScopedFd(sys, ends[1])};
  return absl::OkStatus();
}

// Where the standard error of the child goes if it does not go to the log.
absl::StatusOr<ScopedFd> PlaceOfErrors(Sys& sys, ChildErrors errors) {
  if (errors == ChildErrors::kInherit) {
    ScopedFd ours(sys, sys.Dup(STDERR_FILENO));
    if (ours) return ours;
    if (ours.get() != -EBADF) {
      return ErrnoStatus(ours.get(), SysCall::kDup, "standard error");
    }
    // This process has closed its own.
  }
  constexpr char kNowhere[] = "/dev/null";
  ScopedFd nowhere(sys,
                   sys.Openat(AT_FDCWD, kNowhere, O_WRONLY | O_CLOEXEC, 0));
  if (!nowhere) return ErrnoStatus(nowhere.get(), SysCall::kOpenat, kNowhere);
  return nowhere;
}

absl::Status CheckThatEndsAreKept() {
  struct sigaction action = {};
  ::sigaction(SIGCHLD, nullptr, &action);
  if (action.sa_handler != SIG_IGN && (action.sa_flags & SA_NOCLDWAIT) == 0) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "this program ignores SIGCHLD, or has SA_NOCLDWAIT: so the kernel does "
      "not keep how a process has ended");
}

// The pipes of a simulated world are no descriptors of this process.
absl::Status CheckThatSysIsReal(Sys& sys) {
  siginfo_t about;
  if (sys.Waitid(P_PID, sys.Getpid(), &about, WEXITED | WNOHANG) != -ENOSYS) {
    return absl::OkStatus();
  }
  return absl::UnimplementedError("a simulated bus starts no process");
}

std::string NameOf(absl::string_view program) {
  const size_t slash = program.rfind('/');
  if (slash != absl::string_view::npos) program.remove_prefix(slash + 1);
  return Printable(program, kMostNameBytes);
}

}  // namespace

absl::StatusOr<ChildParts> StartChild(Sys& sys,
                                      const ChildProcessOptions& options) {
  absl::Status ready = CheckThatSysIsReal(sys);
  if (ready.ok()) ready = CheckThatEndsAreKept();
  Pipe in, out, err;
  if (ready.ok()) ready = Open(sys, "for the input of a process", in);
  if (ready.ok()) ready = Open(sys, "for the output of a process", out);
  if (ready.ok() && options.errors == ChildErrors::kLog) {
    ready = Open(sys, "for the errors of a process", err);
  } else if (ready.ok()) {
    absl::StatusOr<ScopedFd> place = PlaceOfErrors(sys, options.errors);
    ready = place.status();
    if (place.ok()) err.writes = *std::move(place);
  }
  if (!ready.ok()) return ready;
  absl::StatusOr<RunningProcess> process = StartProcess(
      sys, ImageOf(options),
      {.in = in.reads.get(), .out = out.writes.get(), .err = err.writes.get()});
  if (!process.ok()) return process.status();
  return ChildParts{.process = *std::move(process),
                    .name = NameOf(options.argv[0]),
                    .in = std::move(in.writes),
                    .out = std::move(out.reads),
                    .err = std::move(err.reads)};
}

}  // namespace trolley::internal
