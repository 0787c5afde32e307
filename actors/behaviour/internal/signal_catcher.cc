// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/internal/signal_catcher.h"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {
namespace {

constexpr std::array kSignals = {SIGTERM, SIGINT,  SIGHUP,  SIGQUIT,
                                 SIGCHLD, SIGUSR1, SIGUSR2, SIGALRM,
                                 SIGCONT, SIGTSTP, SIGWINCH};

// What the handler of a signal knows. A handler has no argument of ours, and
// the effect of a signal is one for the whole process.
struct Entry {
  std::atomic<bool> taken{false};  // there is a catcher
  std::atomic<int> reads{0};       // the ends of the pipe; 0: not made yet
  std::atomic<int> writes{0};
  std::atomic<pid_t> process{0};  // not a child of it
  std::atomic<Instant> deadly{Instant::Infinite()};
  struct sigaction before;  // written while no handler is installed
};
constinit std::array<Entry, 32> entries{};

void Install(int signal, const struct sigaction& action) {
  // Fails only for a signal that is not in kSignals.
  ::sigaction(signal, &action, nullptr);
}

// Async-signal-safe.
void OnSignal(int signal) {
  Entry& entry = entries[signal];
  Sys& sys = RealSys();
  if (sys.Getpid() != entry.process.load()) {
    // A child that was forked and has not started a program.
    Install(signal, entry.before);
    ::raise(signal);  // comes when this has returned
    return;
  }
  if (entry.deadly.load() <= MonotonicClock().Now()) {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    Install(signal, action);
    ::raise(signal);
    return;
  }
  sys.Write(entry.writes.load(), absl::MakeConstSpan("!", 1));
}

absl::Status CannotBeCaught(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return absl::InvalidArgumentError(absl::StrCat(
      "signal ", signal,
      name != nullptr ? absl::StrCat(" (SIG", name, ")") : "",
      " cannot be caught; those that can are SIGTERM, SIGINT, SIGHUP, SIGQUIT, "
      "SIGCHLD, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGTSTP and SIGWINCH"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SignalCatcher>> SignalCatcher::Create(
    int signal) {
  Sys& sys = RealSys();
  if (std::find(kSignals.begin(), kSignals.end(), signal) == kSignals.end()) {
    return CannotBeCaught(signal);
  }
  Entry& entry = entries[signal];
  if (entry.taken.exchange(true)) {
    return absl::AlreadyExistsError(
        absl::StrCat("SIG", ::sigabbrev_np(signal),
                     " is caught already: by another Signals, or by "
                     "RunUntilSignal()"));
  }
  if (entry.reads.load() == 0) {
    int ends[2];
    const int made = sys.Pipe2(ends, O_CLOEXEC | O_NONBLOCK);
    if (made < 0) {
      entry.taken.store(false);
      return ErrnoStatus(made, SysCall::kPipe2,
                         absl::StrCat("SIG", ::sigabbrev_np(signal)));
    }
    entry.reads.store(ends[0]);
    entry.writes.store(ends[1]);
  }
  std::unique_ptr<SignalCatcher> catcher(
      new SignalCatcher(signal, entry.reads.load()));
  (void)MonotonicClock();  // its first call is not for a handler
  entry.process.store(sys.Getpid());
  entry.deadly.store(Instant::Infinite());
  ::sigaction(signal, nullptr, &entry.before);
  struct sigaction action = {};
  action.sa_handler = &OnSignal;
  // A child that stops or goes on has not ended. Other system calls go on.
  action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  ::sigemptyset(&action.sa_mask);
  Install(signal, action);
  sigset_t set, before;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::sigemptyset(&before);
  sys.Sigmask(SIG_UNBLOCK, &set, &before);
  catcher->was_blocked_ = ::sigismember(&before, signal) == 1;
  return catcher;
}

SignalCatcher::~SignalCatcher() {
  if (was_blocked_) {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, signal_);
    RealSys().Sigmask(SIG_BLOCK, &set, nullptr);
  }
  Entry& entry = entries[signal_];
  // mutant: P10_TheHandlerOfASignalStays
  Install(signal_, entry.before);
  TakeCount();
  entry.taken.store(false);
}

uint64_t SignalCatcher::TakeCount() {
  uint64_t count = 0;
  char bytes[1024];
  for (;;) {
    const ssize_t n = RealSys().Read(fd_, absl::MakeSpan(bytes));
    if (n > 0) count += static_cast<uint64_t>(n);
    // A signal may interrupt the read of its own byte.
    if (n != -EINTR && n < static_cast<ssize_t>(sizeof(bytes))) return count;
  }
}

void SignalCatcher::EndProcessFrom(Instant at) {
  entries[signal_].deadly.store(at);
}

}  // namespace trolley::internal
