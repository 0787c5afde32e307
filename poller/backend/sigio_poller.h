// SPDX-License-Identifier: Apache-2.0
//
// SigioPoller: a Poller that uses signal-driven I/O. For each descriptor the
// kernel is told once to queue a signal for this thread when the descriptor
// changes (O_ASYNC, F_SETSIG, F_SETOWN_EX). A Wait takes signals from the
// queue. Its cost depends on how many descriptors changed. Wakes are signals
// too.
//
// A signal says that a descriptor changed, but not how. So the poller keeps a
// list of hot descriptors, about which it asks poll(2) without waiting. A
// descriptor is hot when it was just added, when a signal for it came, and,
// with kLevel, as long as it is ready. The poller sleeps when no hot descriptor
// is ready. Cases in which the kernel sends no signal:
//
//   no signal for                   so
//   what held before Add            a new descriptor is hot at first
//   changes while the queue is      the kernel sends one SIGIO without a
//   full (RLIMIT_SIGPENDING)        descriptor, and all become hot
//   room on a socket that was not   poll(2) watches a socket that waits for
//   armed when it refused a write   room, together with a signalfd for the rest
//   eventfds, timerfds, files       Add returns Unimplemented
//   an open file that another       Add returns Unimplemented
//   thread or process watches so
//   a second descriptor of the      it becomes hot with every signal, for
//   same open file                  whichever descriptor that was
//
// The signals are blocked in the loop's thread from the first use on and stay
// blocked: a signal that came late would otherwise end the process. A program
// that such a thread starts inherits the blocked signals; see
// actors/mains_signals.h.
//
// Ownership: owns a signalfd; borrows Sys and Clock, which outlive it. Sets the
//            owner, the signal and O_ASYNC of the descriptors it watches, and
//            clears O_ASYNC at the end.
// Threads:   as Poller. Only the thread that used it first may use it
//            (`thread_bound`). At most one for each thread: two would take each
//            other's signals.
// Bounds:    RLIMIT_SIGPENDING signals in the queue.

#ifndef TROLLEY_POLLER_BACKEND_SIGIO_POLLER_H_
#define TROLLEY_POLLER_BACKEND_SIGIO_POLLER_H_

#include <poll.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/registrations.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"
#include "trolley/poller/wait_limit.h"

namespace trolley::internal {

class SigioPoller final : public Poller {
 public:
  // The signal that it uses: a real-time signal, because those are queued.
  static int Signal() { return SIGRTMIN + 7; }

  //   ResourceExhausted  no descriptor is left
  static absl::StatusOr<std::unique_ptr<Poller>> Create(Sys& sys,
                                                        const Clock& clock);
  ~SigioPoller() override;

  absl::Status Add(int fd, Token token, Interest interest) override;
  absl::Status Modify(int fd, Token token, Interest interest) override;
  absl::Status Remove(int fd, Token token) override;
  absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                  Instant deadline) override;
  void Wake() override;
  const Capabilities& capabilities() const override { return capabilities_; }

 private:
  struct Entry : Registration {
    bool armed = true;    // kOneshot: not reported yet
    bool hot = false;     // in hot_
    bool shared = false;  // O_ASYNC was set before Add
    bool socket = false;
    bool blocked = false;  // in blocked_
  };

  SigioPoller(Sys& sys, const Clock& clock, const sigset_t& signals,
              ScopedFd signalfd);

  absl::Status Bind();
  absl::Status Arm(int fd, Entry& entry);
  void Disarm(int fd);
  void MarkHot(int fd, Entry& entry);
  void MarkAllHot(bool shared_only);
  void Unblock(int fd, Entry& entry);
  int LookAtBlocked(WaitLimit& limit);
  int TakeSignals(WaitLimit& limit);
  int TakeChanges(WaitLimit& limit);
  void TakeOne(const siginfo_t& info);
  int AskHot(absl::Span<Event> events, WaitResult& result);

  Sys& sys_;
  const Clock& clock_;
  const Capabilities capabilities_;
  const sigset_t signals_;
  const ScopedFd signalfd_;  // waited for, never read

  std::atomic<bool> woken_{false};
  std::atomic<pid_t> thread_{0};  // 0 until first use
  pid_t process_ = 0;

  Registrations<Entry> registrations_;
  size_t shared_ = 0;         // entries that are `shared`
  std::vector<int> hot_;      // the one that has waited longest is first
  std::vector<int> blocked_;  // sockets that wait for room to write
  std::vector<pollfd> asked_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_BACKEND_SIGIO_POLLER_H_
