// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/internal/start_process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

// The tools that watch memory and threads take the child for the thread whose
// memory it shares.
#define TROLLEY_IN_THE_CHILD \
  __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

constexpr int kSignals = 64;           // of the kernel: 1 to 64
constexpr size_t kSignalSetBytes = 8;  // of the kernel's set of them
constexpr int kExitCode = 127;

enum class Step : int {
  kNone,
  kProcessGroup,
  kDeathSignal,
  kDescriptors,
  kCloseOthers,
  kDirectory,
  kSignalMask,
  kProgram,
};

// What the child needs, and what it says. It lies in the memory that the child
// shares with the thread that waits for it.
struct Plan {
  const char* const* paths;  // the last one is null
  const char* const* argv;
  const char* const* environment;
  const char* directory;  // null: it stays
  int descriptors[3];
  pid_t parent;

  Step failed = Step::kNone;
  int error = 0;    // an errno
  int path_at = 0;  // of the path that the error is about
};

TROLLEY_IN_THE_CHILD bool Did(Plan& plan, Step step, intptr_t result) {
  if (result >= 0) return true;
  plan.failed = step;
  plan.error = errno;
  return false;
}

TROLLEY_IN_THE_CHILD void UseDefaultSignals() {
  // As the kernel has it: the handler, flags and a mask. All of them 0 is
  // SIG_DFL. SIGKILL and SIGSTOP say EINVAL. Those that the C library has taken
  // for itself are among them.
  const uint64_t action[4] = {};
  for (int signal = 1; signal <= kSignals; ++signal) {
    ::syscall(SYS_rt_sigaction, signal, action, nullptr, kSignalSetBytes);
  }
}

TROLLEY_IN_THE_CHILD bool TakeDescriptors(Plan& plan) {
  for (int i = 0; i < 3; ++i) {
    if (!Did(plan, Step::kDescriptors,
             ::syscall(SYS_dup3, plan.descriptors[i], i, 0))) {
      return false;
    }
  }
  // mutant: P11_AChildProcessInheritsDescriptors
  return Did(plan, Step::kCloseOthers, ::syscall(SYS_close_range, 3u, ~0u, 0u));
}

// Returns if no path could be run. The error of a file that is there counts
// more than that of one that is not.
TROLLEY_IN_THE_CHILD void RunProgram(Plan& plan) {
  int error = ENOENT;
  for (int i = 0; plan.paths[i] != nullptr; ++i) {
    ::syscall(SYS_execve, plan.paths[i], plan.argv, plan.environment);
    if (errno == ENOENT || errno == ENOTDIR) {
      if (error == ENOENT) error = errno;
      continue;
    }
    error = errno;
    plan.path_at = i;
    if (errno != EACCES) break;
  }
  // Not before: the program that runs leaves this memory as it is.
  plan.failed = Step::kProgram;
  plan.error = error;
}

// In the child. It never returns to the caller of clone().
TROLLEY_IN_THE_CHILD int Run(void* argument) {
  Plan& plan = *static_cast<Plan*>(argument);
  const uint64_t no_signals = 0;
  // mutant: P11_AChildProcessIgnoresWhatItsParentDid
  UseDefaultSignals();
  if (Did(plan, Step::kProcessGroup, ::syscall(SYS_setpgid, 0, 0)) &&
      Did(plan, Step::kDeathSignal,
          ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)) &&
      // It may have been killed before the line above.
      ::syscall(SYS_getppid) == plan.parent && TakeDescriptors(plan) &&
      (plan.directory == nullptr ||
       Did(plan, Step::kDirectory, ::syscall(SYS_chdir, plan.directory))) &&
      Did(plan, Step::kSignalMask,
          ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, nullptr,
                    kSignalSetBytes))) {
    RunProgram(plan);
  }
  for (;;) ::syscall(SYS_exit_group, kExitCode);
}

std::vector<const char*> PointersTo(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  pointers.push_back(nullptr);
  return pointers;
}

absl::Status Failed(const ProcessImage& image, absl::string_view step,
                    int error, absl::StatusCode code) {
  return absl::Status(
      code, absl::StrCat("cannot start \"", Printable(image.argv[0]), "\": ",
                         step, ": ", std::generic_category().message(error)));
}

std::string ProgramStep(const ProcessImage& image, const Plan& plan) {
  const bool missing = plan.error == ENOENT || plan.error == ENOTDIR;
  if (missing && image.paths.size() != 1) {
    return absl::StrCat(
        "execve, none of these: ",
        Printable(image.paths.empty() ? "PATH has no absolute folder"
                                      : absl::StrJoin(image.paths, " ")));
  }
  return absl::StrCat("execve(", Printable(image.paths[plan.path_at]), ")");
}

std::string StepOf(const ProcessImage& image, const Plan& plan) {
  switch (plan.failed) {
    case Step::kProcessGroup:
      return "setpgid";
    case Step::kDeathSignal:
      return "prctl(PR_SET_PDEATHSIG)";
    case Step::kDescriptors:
      return "dup3";
    case Step::kCloseOthers:
      return "close_range";
    case Step::kDirectory:
      return absl::StrCat("chdir(", Printable(image.working_directory), ")");
    case Step::kSignalMask:
      return "rt_sigprocmask";
    default:
      return ProgramStep(image, plan);
  }
}

// The child that could not start the program has ended, or is about to.
void Bury(Sys& sys, pid_t pid) {
  siginfo_t about;
  while (sys.Waitid(P_PID, pid, &about, WEXITED) == -EINTR) {
  }
}

}  // namespace

int CloneOfTheKernel(int (*run)(void*), void* stack, int flags, void* argument,
                     int* pidfd) {
  const int before = errno;
  const int pid = ::clone(run, stack, flags, argument, pidfd);
  return pid >= 0 ? pid : -std::exchange(errno, before);
}

absl::StatusOr<RunningProcess> StartProcess(
    Sys& sys, const ProcessImage& image, const ProcessDescriptors& descriptors,
    CloneCall clone) {
  const std::vector<const char*> paths = PointersTo(image.paths);
  const std::vector<const char*> argv = PointersTo(image.argv);
  const std::vector<const char*> environment = PointersTo(image.environment);
  Plan plan{.paths = paths.data(),
            .argv = argv.data(),
            .environment = environment.data(),
            .directory = image.working_directory.empty()
                             ? nullptr
                             : image.working_directory.c_str(),
            .descriptors = {descriptors.in, descriptors.out, descriptors.err},
            .parent = sys.Getpid()};
  // A stack grows downwards, from an address that 16 divides.
  const std::unique_ptr<char[]> stack(new char[kStackBytes]);
  const auto top =
      (reinterpret_cast<uintptr_t>(stack.get()) + kStackBytes) & ~uintptr_t{15};

  // No signal handler of this process runs in the child.
  sigset_t all, before;
  ::sigfillset(&all);
  const int masked = sys.Sigmask(SIG_SETMASK, &all, &before);
  if (masked < 0) {
    return ErrnoStatus(masked, SysCall::kSigmask, "to start a process");
  }
  const int errno_before = errno;
  int number = -1;
  const int pid =
      clone(&Run, reinterpret_cast<void*>(top),
            CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &plan, &number);
  errno = errno_before;
  sys.Sigmask(SIG_SETMASK, &before, nullptr);

  if (pid < 0) {
    return Failed(image, "clone", -pid,
                  pid == -EAGAIN ? absl::StatusCode::kResourceExhausted
                                 : ErrnoCode(-pid));
  }
  ScopedFd pidfd(sys, number);
  if (plan.failed != Step::kNone) {
    // mutant: P13_AProgramThatIsNotThereLeavesAZombie
    Bury(sys, pid);
    return Failed(image, StepOf(image, plan), plan.error,
                  ErrnoCode(plan.error));
  }
  if (number <= STDERR_FILENO) {  // the program has closed one of 0 to 2
    ScopedFd moved(sys, sys.Dup(number));
    if (!moved) {
      RunningProcess(sys, pid, std::move(pidfd)).EndNow();
      const int error = -moved.get();
      return Failed(image, "dup", error, ErrnoCode(error));
    }
    pidfd = std::move(moved);
  }
  sys.Fcntl(pidfd.get(), F_SETFL, O_NONBLOCK);
  return RunningProcess(sys, pid, std::move(pidfd));
}

}  // namespace trolley::internal
