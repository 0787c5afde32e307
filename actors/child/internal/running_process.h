// SPDX-License-Identifier: Apache-2.0
//
// RunningProcess: a child of this process that leads a process group, until it
// was waited for. While it was not, the kernel gives its number to no other
// process and to no other group; so a signal reaches it or no process.
//
//   if (process.HasEnded()) process.Reap();   // when process.pidfd() is ready
//
// Ownership: owns the pidfd, and the duty to wait for the process.
// Threads:   one at a time.
// Bounds:    EndNow() and the destructor wait for kMostWait.
// Ends:      Reap(). The destructor calls EndNow().
// Errors:    if waitid(2) fails, another part of this program has waited for
//            the process, or ignores SIGCHLD. Then it counts as ended,
//            ChildEnd::How::kUnknown, and what is left of its group is not
//            killed: its number may be that of another one.

#ifndef TROLLEY_ACTORS_CHILD_INTERNAL_RUNNING_PROCESS_H_
#define TROLLEY_ACTORS_CHILD_INTERNAL_RUNNING_PROCESS_H_

#include <sys/types.h>

#include <utility>

#include "absl/time/time.h"
#include "trolley/actors/child/child_messages.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

class RunningProcess {
 public:
  // 200 ms: what Bus::Shutdown() gives a loop.
  static constexpr absl::Duration kMostWait = absl::Milliseconds(200);

  RunningProcess(Sys& sys, pid_t pid, ScopedFd pidfd)
      : sys_(&sys), pid_(pid), pidfd_(std::move(pidfd)) {}
  RunningProcess(RunningProcess&& other) noexcept
      : sys_(other.sys_),
        pid_(other.pid_),
        pidfd_(std::move(other.pidfd_)),
        ended_(other.ended_),
        reaped_(std::exchange(other.reaped_, true)),
        foreign_(other.foreign_),
        how_(other.how_),
        code_(other.code_) {}
  RunningProcess& operator=(RunningProcess&&) = delete;
  ~RunningProcess() { EndNow(); }

  pid_t pid() const { return pid_; }
  // Readable when the process has ended.
  int pidfd() const { return pidfd_.get(); }

  // Sends `signal` to the group. Returns 0, also if it has ended, or -errno:
  // -EPERM if the process has other rights.
  int Signal(int signal);

  // True: it has ended, and how() and code() say how.
  bool HasEnded();
  ChildEnd::How how() const { return how_; }
  int code() const { return code_; }

  // It has ended: kills what is left of its group, and waits for it. A second
  // call does nothing.
  void Reap();

  // Kills it, waits for its end, and calls Reap(). False: it has not ended
  // within kMostWait.
  bool EndNow();

 private:
  Sys* sys_;
  pid_t pid_;
  ScopedFd pidfd_;
  bool ended_ = false;
  bool reaped_ = false;
  bool foreign_ = false;  // another part of the program has waited for it
  ChildEnd::How how_ = ChildEnd::How::kUnknown;
  int code_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_CHILD_INTERNAL_RUNNING_PROCESS_H_
