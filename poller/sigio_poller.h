// SPDX-License-Identifier: Apache-2.0
//
// SigioPoller: a Poller over signal-driven I/O. The kernel is told, once for
// each descriptor, to send this thread a queued signal whenever something
// changes (O_ASYNC, F_SETSIG, F_SETOWN_EX); a wait takes signals from the
// thread's queue. The cost of a wait grows with what changed. Wakes are signals
// too.
//
// A signal says that something changed, not what is. So the poller keeps a set
// of hot descriptors, which it asks poll(2) about without waiting: those just
// added, those a signal came for, and level-triggered ones as long as they are
// ready. It sleeps only when the hot ones have nothing to say. What the kernel
// does not tell is made up for:
//   - no signal for what was pending before: a new descriptor starts hot;
//   - a queue that is full (RLIMIT_SIGPENDING) turns into one plain SIGIO
//     without a descriptor: then all become hot;
//   - a socket sends no signal that there is room again unless it was armed
//     when it refused a write: while one is not writable, who waits for that
//     is watched by poll(2), beside a signalfd for all the others;
//   - eventfds, timerfds and files send no signals: Add says Unimplemented;
//   - a second descriptor of the same open file gets no signals of its own: it
//     becomes hot with every signal, whoever that was for.
//
// The signals are blocked in the loop's thread on first use, and stay blocked
// there for good: one that came late would end the process otherwise. A program
// that a thread with blocked signals starts inherits that; bus/mains_signals.h
// is for those who start one.
//
// Ownership: owns a signalfd; borrows Sys and Clock, which outlive it. Sets the
//            owner, the signal and O_ASYNC of what it watches; takes O_ASYNC
//            back.
// Threads:   as Poller; the thread that uses it first is the loop's for good
//            (`thread_bound`). At most one on each thread: two would take each
//            other's signals.
// Bounds:    RLIMIT_SIGPENDING signals in the queue.

#ifndef TROLLEY_POLLER_SIGIO_POLLER_H_
#define TROLLEY_POLLER_SIGIO_POLLER_H_

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

namespace trolley {

class SigioPoller final : public Poller {
 public:
  // The signal it uses, a queued one in the middle of the range.
  static int Signal() { return SIGRTMIN + 7; }

  // ResourceExhausted: no descriptor left.
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
    bool shared = false;  // O_ASYNC was set by somebody else
    bool socket = false;
    bool blocked = false;  // in blocked_
  };

  SigioPoller(Sys& sys, const Clock& clock, const sigset_t& signals,
              ScopedFd signalfd);

  absl::Status Bind();
  absl::Status Arm(int fd, Entry& entry);
  void Disarm(int fd);
  void Heat(int fd, Entry& entry);
  void HeatAll(bool shared_only);
  void LetGo(int fd, Entry& entry);
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
  std::vector<int> hot_;      // to ask about, who has waited longest first
  std::vector<int> blocked_;  // sockets that are to become writable
  std::vector<pollfd> asked_;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_SIGIO_POLLER_H_
