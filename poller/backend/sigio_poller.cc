// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/backend/sigio_poller.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/poll_bits.h"

namespace trolley::internal {
namespace {

// The most signals that are taken before the poller looks at descriptors.
constexpr int kMostSignalsAtOnce = 1024;

// So many failures in a row have no good reason; see wake_fd.cc.
constexpr int kMostWakeFailures = 1000;

}  // namespace

absl::StatusOr<std::unique_ptr<Poller>> SigioPoller::Create(
    Sys& sys, const Clock& clock) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, Signal());
  sigaddset(&signals, SIGIO);
  ScopedFd fd(sys, sys.Signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return ErrnoStatus(fd.get(), SysCall::kSignalfd, "");
  fd.CheckFlags();
  return std::unique_ptr<Poller>(
      new SigioPoller(sys, clock, signals, std::move(fd)));
}

SigioPoller::SigioPoller(Sys& sys, const Clock& clock, const sigset_t& signals,
                         ScopedFd signalfd)
    : sys_(sys),
      clock_(clock),
      capabilities_({.name = "sigio",
                     .edge = true,
                     .oneshot = true,
                     .rdhup = true,
                     .sub_ms = true,
                     .o1_wait = true,
                     .thread_bound = true}),
      signals_(signals),
      signalfd_(std::move(signalfd)) {}

SigioPoller::~SigioPoller() {
  for (const auto& [fd, entry] : registrations_) Disarm(fd);
  // Takes the signals that are still queued, so that the thread's next poller
  // does not get them.
  if (thread_.load() != sys_.Gettid()) return;
  const timespec now = {};
  siginfo_t info;
  while (sys_.Sigtimedwait(&signals_, &info, &now) > 0) {
  }
}

absl::Status SigioPoller::Bind() {
  if (thread_.load() != 0) return absl::OkStatus();
  const int blocked = sys_.Sigmask(SIG_BLOCK, &signals_, nullptr);
  if (blocked < 0) return ErrnoStatus(blocked, SysCall::kSigmask, "block");
  process_ = sys_.Getpid();
  thread_.store(sys_.Gettid());
  return absl::OkStatus();
}

// Asks for signals; the caller looks at the descriptor after that. A change in
// between is then seen twice, never missed.
absl::Status SigioPoller::Arm(int fd, Entry& entry) {
  const auto failed = [fd](int error, const char* what) {
    return ErrnoStatus(error, SysCall::kFcntl, absl::StrCat(what, ", fd ", fd));
  };
  const int flags = sys_.Fcntl(fd, F_GETFL);
  if (flags < 0) return failed(flags, "F_GETFL");
  f_owner_ex owner = {};
  if ((flags & O_ASYNC) != 0) {
    int got = sys_.Fcntl(fd, F_GETOWN_EX, reinterpret_cast<intptr_t>(&owner));
    if (got < 0) return failed(got, "F_GETOWN_EX");
    got = sys_.Fcntl(fd, F_GETSIG);
    if (got < 0) return failed(got, "F_GETSIG");
    const bool ours = owner.type == F_OWNER_TID && owner.pid == thread_.load();
    if (ours && got == Signal()) {
      // Already armed, by Add or through a duplicate of the descriptor.
      entry.shared = true;
      return absl::OkStatus();
    }
    // 0: the owner has ended, and has left the flag.
    if (!ours && owner.pid != 0) {
      return absl::UnimplementedError(absl::StrCat(
          "fd ", fd, " sends its signals to another thread or process"));
    }
  }
  owner = {.type = F_OWNER_TID, .pid = thread_.load()};
  int done = sys_.Fcntl(fd, F_SETOWN_EX, reinterpret_cast<intptr_t>(&owner));
  if (done < 0) return failed(done, "F_SETOWN_EX");
  done = sys_.Fcntl(fd, F_SETSIG, Signal());
  if (done < 0) return failed(done, "F_SETSIG");
  done = sys_.Fcntl(fd, F_SETFL, flags | O_ASYNC);
  if (done < 0) return failed(done, "F_SETFL, O_ASYNC");
  // Where the kind of descriptor does not support O_ASYNC, the call succeeds
  // and does not set it.
  const int now = sys_.Fcntl(fd, F_GETFL);
  if (now >= 0 && (now & O_ASYNC) != 0) return absl::OkStatus();
  Disarm(fd);
  if (now < 0) return failed(now, "F_GETFL");
  return absl::UnimplementedError(absl::StrCat(
      "fd ", fd, " sends no signals: an eventfd, a timerfd or a file"));
}

void SigioPoller::Disarm(int fd) {
  const int flags = sys_.Fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_ASYNC) != 0) {
    sys_.Fcntl(fd, F_SETFL, flags & ~O_ASYNC);
  }
}

absl::Status SigioPoller::Add(int fd, Token token, Interest interest) {
  absl::Status status =
      registrations_.CanAdd(capabilities_, fd, token, interest);
  if (status.ok()) status = Bind();
  if (!status.ok()) return status;
  Entry entry = {{token, interest}};
  status = Arm(fd, entry);
  if (!status.ok()) return status;
  int type = 0;
  socklen_t size = sizeof(type);
  entry.socket =
      sys_.Getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != -ENOTSOCK;
  shared_ += entry.shared;
  MarkHot(fd, registrations_.Insert(fd, entry));
  return absl::OkStatus();
}

absl::Status SigioPoller::Modify(int fd, Token token, Interest interest) {
  Entry* const entry = registrations_.Find(fd, token);
  if (entry == nullptr) return NotRegistered(fd);
  absl::Status allowed = CheckTrigger(capabilities_, interest);
  if (!allowed.ok()) return allowed;
  // Normally the descriptor is armed, and Arm() finds that out.
  // It is not armed if its number has become another file.
  Entry now = *entry;
  allowed = Arm(fd, now);
  if (!allowed.ok()) return allowed;
  Unblock(fd, *entry);
  entry->interest = interest;
  entry->armed = true;
  MarkHot(fd, *entry);
  return absl::OkStatus();
}

absl::Status SigioPoller::Remove(int fd, Token token) {
  Entry* const entry = registrations_.Find(fd, token);
  if (entry == nullptr) return NotRegistered(fd);
  shared_ -= entry->shared;
  // O_ASYNC belongs to the open file. While any registration is `shared`, its
  // file may be the same as this one's and still needs the flag. A signal that
  // no registration waits for does no harm.
  const bool last = shared_ == 0;
  if (entry->hot) hot_.erase(std::find(hot_.begin(), hot_.end(), fd));
  Unblock(fd, *entry);
  registrations_.Erase(fd);
  if (last) Disarm(fd);
  return absl::OkStatus();
}

void SigioPoller::MarkHot(int fd, Entry& entry) {
  if (entry.hot) return;
  entry.hot = true;
  hot_.push_back(fd);
}

void SigioPoller::Unblock(int fd, Entry& entry) {
  if (!entry.blocked) return;
  entry.blocked = false;
  blocked_.erase(std::find(blocked_.begin(), blocked_.end(), fd));
}

void SigioPoller::MarkAllHot(bool shared_only) {
  for (auto& [fd, entry] : registrations_) {
    if (!shared_only || entry.shared) MarkHot(fd, entry);
  }
}

void SigioPoller::TakeOne(const siginfo_t& info) {
  if (info.si_signo == SIGIO) {
    MarkAllHot(/*shared_only=*/false);
    return;
  }
  if (info.si_code == SI_QUEUE) return;  // Wake() has set woken_ as well
  if (shared_ > 0) MarkAllHot(/*shared_only=*/true);
  Entry* const entry = registrations_.FindAny(info.si_fd);
  if (entry != nullptr) MarkHot(info.si_fd, *entry);
}

// Waits for a signal, then takes all that are queued. Returns their number, 0
// if none came within the limit, or -errno.
int SigioPoller::TakeSignals(WaitLimit& limit) {
  const timespec now = {};
  siginfo_t info = {};
  int taken = 0;
  for (; taken < kMostSignalsAtOnce; ++taken) {
    const int signal =
        sys_.Sigtimedwait(&signals_, &info, taken == 0 ? limit.spec() : &now);
    if (signal == -EAGAIN) return taken;
    if (signal < 0) return taken > 0 ? taken : signal;
    TakeOne(info);
  }
  return taken;
}

// Waits until one of the blocked sockets has room or a signal comes. Returns a
// number >= 0, or -errno.
int SigioPoller::LookAtBlocked(WaitLimit& limit) {
  asked_.clear();
  asked_.push_back({.fd = signalfd_.get(), .events = POLLIN, .revents = 0});
  for (const int fd : blocked_) {
    asked_.push_back({.fd = fd, .events = POLLOUT, .revents = 0});
  }
  const int found = sys_.Ppoll(absl::MakeSpan(asked_), limit.spec());
  if (found <= 0) return found;
  for (size_t i = 1; i < asked_.size(); ++i) {
    if (asked_[i].revents == 0) continue;
    Entry* const entry = registrations_.FindAny(asked_[i].fd);
    Unblock(asked_[i].fd, *entry);
    MarkHot(asked_[i].fd, *entry);
  }
  return found;
}

// Waits within the limit until something has changed, and makes the changed
// descriptors hot.
int SigioPoller::TakeChanges(WaitLimit& limit) {
  if (blocked_.empty()) return TakeSignals(limit);
  const int found = LookAtBlocked(limit);
  if (found < 0) return found;
  WaitLimit look(clock_, Instant());
  const int taken = TakeSignals(look);
  return taken < 0 ? taken : found;
}

// Reports the hot descriptors that are ready. Those that are not ready are no
// longer hot. Returns -errno, and changes nothing, if poll(2) failed.
int SigioPoller::AskHot(absl::Span<Event> events, WaitResult& result) {
  asked_.clear();
  for (const int fd : hot_) {
    const Entry* const entry = registrations_.FindAny(fd);
    const bool ask = entry != nullptr && entry->hot && entry->armed &&
                     WantsAnything(entry->interest);
    asked_.push_back({.fd = ask ? fd : -1,
                      .events = ask ? ToPollBits(entry->interest) : short{0},
                      .revents = 0});
  }
  if (asked_.empty()) return 0;
  const timespec now = {};
  const int found = sys_.Ppoll(absl::MakeSpan(asked_), &now);
  if (found < 0) return found;

  // Descriptors that did not fit stay in front. Those that were reported and
  // may still be ready go to the back.
  std::vector<int> waiting;
  std::vector<int> reported;
  for (size_t i = 0; i < hot_.size(); ++i) {
    Entry* const entry = registrations_.FindAny(hot_[i]);
    if (entry == nullptr || !entry->hot) continue;
    const short bits = asked_[i].fd < 0 ? 0 : asked_[i].revents;
    // The socket has no room. Unless it has hung up or failed, poll(2) must
    // watch it, because no signal will come.
    if (entry->socket && (asked_[i].events & POLLOUT) != 0 &&
        (bits & (POLLOUT | POLLHUP | POLLERR | POLLNVAL)) == 0 &&
        !entry->blocked) {
      entry->blocked = true;
      blocked_.push_back(hot_[i]);
    }
    if (bits == 0 || (bits & POLLNVAL) != 0) {
      entry->hot = false;
    } else if (result.events == events.size()) {
      waiting.push_back(hot_[i]);
    } else {
      events[result.events++] = {entry->token, FromPollBits(bits)};
      entry->armed = entry->interest.trigger != Trigger::kOneshot;
      if (!entry->armed) Unblock(hot_[i], *entry);
      entry->hot = entry->interest.trigger == Trigger::kLevel;
      if (entry->hot) reported.push_back(hot_[i]);
    }
  }
  waiting.insert(waiting.end(), reported.begin(), reported.end());
  hot_ = std::move(waiting);
  return found;
}

absl::StatusOr<WaitResult> SigioPoller::Wait(absl::Span<Event> events,
                                             Instant deadline) {
  if (events.empty()) {
    return absl::InvalidArgumentError("no room for a single event");
  }
  absl::Status bound = Bind();
  if (!bound.ok()) return bound;
  // The first look at the queue does not wait. It is done even if a descriptor
  // is hot: otherwise one that is always ready would hold up all signals.
  WaitLimit look(clock_, Instant());
  bool may_sleep = false;
  for (;;) {
    WaitLimit limit(clock_, deadline);
    const int taken = TakeChanges(may_sleep ? limit : look);
    if (taken < 0 && taken != -EINTR) {
      return ErrnoStatus(taken, SysCall::kSigtimedwait, "for changes");
    }
    WaitResult result;
    const int asked = AskHot(events, result);
    if (asked < 0 && asked != -EINTR) {
      return ErrnoStatus(asked, SysCall::kPpoll, "");
    }
    // Read after the queue: a Wake() that comes later sends a new signal.
    result.woken = woken_.load() && woken_.exchange(false);
    if (result.events > 0 || result.woken) return result;
    const bool nothing = taken >= 0 && asked >= 0;
    if (nothing && limit.passed()) return result;
    if (nothing && may_sleep && !deadline.is_infinite() &&
        clock_.Now() >= deadline) {
      return result;
    }
    may_sleep = asked >= 0;
  }
}

// All accesses to woken_ and thread_ have one order (seq_cst). So either Wake()
// sees the number of the waiting thread, or that thread sees woken_ when it
// reads it after storing its number.
void SigioPoller::Wake() {
  if (woken_.exchange(true)) return;
  const pid_t thread = thread_.load();
  if (thread == 0) return;
  siginfo_t info = {};
  info.si_code = SI_QUEUE;
  info.si_pid = process_;
  for (int failures = 0;; ++failures) {
    // A full queue has no room for a signal with data, but it always accepts a
    // plain SIGIO.
    const int signal = failures % 2 == 0 ? Signal() : SIGIO;
    info.si_signo = signal;
    const int sent = sys_.Tgsigqueueinfo(process_, thread, signal, &info);
    if (sent >= 0) return;
    // The thread has ended, so no Wait has to be woken.
    if (sent == -ESRCH && failures > 0) return;
    if (failures == kMostWakeFailures) std::abort();
  }
}

}  // namespace trolley::internal
