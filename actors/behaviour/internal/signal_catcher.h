// SPDX-License-Identifier: Apache-2.0
//
// SignalCatcher: counts one signal of this process instead of letting it have
// its effect. A descriptor says when the signal has come.
//
//   auto catcher = SignalCatcher::Create(SIGTERM);
//   ... wait until (*catcher)->fd() is readable ...
//   const uint64_t times = (*catcher)->TakeCount();
//
// It is a signal handler, and not a signalfd. A signalfd needs the signal
// blocked in all threads, and what a thread blocks, the programs block that it
// starts. A handler is gone in a program that is started, and in a child
// without exec it does what the signal did before. The handler writes a byte
// into a pipe, which each poller can watch. It never waits: if the pipe is
// full, 64 K signals are in it, and the count is too small.
//
// The handler may be at work on another thread while the catcher is destroyed.
// So a pipe, once made, stays until the process ends. The next catcher of that
// signal uses it again. All of this is of the real process, so it uses
// RealSys(), whatever the Sys of the bus is.
//
// Ownership: the creator owns it. The pipes and a table with an entry for
//            each signal belong to the process, as the effects of signals do.
// Threads:   created and destroyed by one thread. That thread takes the signal
//            even if it was blocked before: Create() unblocks it there.
// Bounds:    one catcher and two descriptors for each signal.
// Ends:      the destructor gives the signal the effect that it had before, and
//            blocks it again if it was blocked.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_SIGNAL_CATCHER_H_
#define TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_SIGNAL_CATCHER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

class SignalCatcher {
 public:
  //   InvalidArgument     no signal that can be caught: only SIGTERM, SIGINT,
  //                       SIGHUP, SIGQUIT, SIGCHLD, SIGUSR1, SIGUSR2, SIGALRM,
  //                       SIGCONT, SIGTSTP and SIGWINCH can
  //   AlreadyExists       there is a catcher of this signal
  //   ResourceExhausted   no descriptor is left
  //   other               of the system call
  static absl::StatusOr<std::unique_ptr<SignalCatcher>> Create(int signal);
  SignalCatcher(const SignalCatcher&) = delete;
  SignalCatcher& operator=(const SignalCatcher&) = delete;
  ~SignalCatcher();

  int signal() const { return signal_; }
  // Readable while TakeCount() is not 0. It stays open.
  int fd() const { return fd_; }
  // How often the signal has come since the last call; a count. Signals that
  // come while the same one is pending count as one: the kernel merges them.
  uint64_t TakeCount();

  // A signal that comes at `at` or later has its default effect: for most, the
  // end of the process.
  void EndProcessFrom(Instant at);

 private:
  SignalCatcher(int signal, int fd) : signal_(signal), fd_(fd) {}

  const int signal_;
  const int fd_;
  bool was_blocked_ = false;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_SIGNAL_CATCHER_H_
