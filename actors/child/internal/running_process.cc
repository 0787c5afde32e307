// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/internal/running_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

namespace trolley::internal {
namespace {

// P_PIDFD is younger than some C libraries.
constexpr idtype_t kPidfd = static_cast<idtype_t>(3);

// A signal may interrupt the wait. It then begins anew, but not for ever.
constexpr int kMostInterruptions = 10;

}  // namespace

int RunningProcess::Signal(int signal) {
  if (ended_) return 0;
  const int group = sys_->Kill(-pid_, signal);
  // It may have moved to another group.
  const int self = group < 0 || signal == SIGKILL
                       ? sys_->PidfdSendSignal(pidfd_.get(), signal)
                       : 0;
  return self == -ESRCH ? 0 : self;
}

bool RunningProcess::HasEnded() {
  if (ended_) return true;
  siginfo_t about = {};
  int waited;
  do {
    waited =
        sys_->Waitid(kPidfd, pidfd_.get(), &about, WEXITED | WNOHANG | WNOWAIT);
  } while (waited == -EINTR);
  if (waited < 0) {
    sys_->PidfdSendSignal(pidfd_.get(), SIGKILL);
    foreign_ = ended_ = true;
    return true;
  }
  if (about.si_pid == 0) return false;
  ended_ = true;
  how_ = about.si_code == CLD_EXITED ? ChildEnd::How::kExited
                                     : ChildEnd::How::kSignalled;
  code_ = about.si_status;
  return true;
}

void RunningProcess::Reap() {
  if (reaped_) return;
  reaped_ = true;
  if (foreign_) return;
  // Before its number may be used again.
  // mutant: P11_WhatIsLeftOfAGroupGoesOn
  sys_->Kill(-pid_, SIGKILL);
  siginfo_t about;
  // mutant: P11_AChildProcessStaysAZombie
  while (sys_->Waitid(kPidfd, pidfd_.get(), &about, WEXITED | WNOHANG) ==
         -EINTR) {
  }
}

bool RunningProcess::EndNow() {
  if (reaped_) return true;
  Signal(SIGKILL);
  pollfd item = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  const timespec limit = absl::ToTimespec(kMostWait);
  for (int i = 0; i < kMostInterruptions; ++i) {
    if (sys_->Ppoll({&item, 1}, &limit) != -EINTR) break;
  }
  if (!HasEnded()) return false;
  Reap();
  return true;
}

}  // namespace trolley::internal
