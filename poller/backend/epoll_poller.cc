// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/backend/epoll_poller.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"

namespace trolley::internal {
namespace {

constexpr Token kWakeToken = {.slot = Token::kReservedSlot, .generation = 0};

uint32_t ToEpoll(Interest interest) {
  uint32_t events = 0;
  if (Any(interest.ready & Ready::kReadable)) events |= EPOLLIN | EPOLLRDHUP;
  if (Any(interest.ready & Ready::kWritable)) events |= EPOLLOUT;
  // mutant: P16_LevelIsEdge, P16_EdgeIsLevel
  if (interest.trigger == Trigger::kEdge) events |= EPOLLET;
  // mutant: P16_EdgeIsOneshot, P16_OneshotIsLevel, P16_AOneshotHangupIsRepeated
  if (interest.trigger == Trigger::kOneshot) events |= EPOLLONESHOT;
  return events;
}

Ready FromEpoll(uint32_t events) {
  // mutant: P16_WritableIsAlwaysAdded
  Ready ready = Ready::kNone;
  if (events & EPOLLIN) ready = ready | Ready::kReadable;
  if (events & EPOLLOUT) ready = ready | Ready::kWritable;
  // mutant: P16_AHangupIsHidden, P16_AHangupIsNotReadable
  if (events & EPOLLHUP) ready = ready | Ready::kHangup | Ready::kReadable;
  if (events & EPOLLERR) {
    // mutant: P16_AnErrorIsHidden
    ready = ready | Ready::kError | Ready::kReadable | Ready::kWritable;
  }
  if (events & EPOLLRDHUP) {
    // mutant: P16_AHalfCloseIsForgotten, P16_AHalfCloseIsTakenForAHangup
    ready = ready | Ready::kReadHangup | Ready::kReadable;
  }
  return ready;
}

bool Wanted(Interest interest) {
  return Any(interest.ready & (Ready::kReadable | Ready::kWritable));
}

// EPERM is the answer of an old container's seccomp filter to a call that it
// does not know.
bool IsMissing(int error) { return error == -ENOSYS || error == -EPERM; }

}  // namespace

absl::StatusOr<std::unique_ptr<Poller>> EpollPoller::Create(
    Sys& sys, const Clock& clock) {
  // mutant: P11_ChildrenInheritTheSet, P16_ADescriptorLeaks
  ScopedFd set(sys, sys.EpollCreate1(EPOLL_CLOEXEC));
  if (!set) return ErrnoStatus(set.get(), SysCall::kEpollCreate1, "");
  absl::StatusOr<ScopedFd> wake = WakeFd::Open(sys);
  if (!wake.ok()) return wake.status();

  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kWakeToken.Pack();
  const int added = sys.EpollCtl(set.get(), EPOLL_CTL_ADD, wake->get(), &event);
  if (added < 0) return ErrnoStatus(added, SysCall::kEpollCtl, "ADD, wakes");

  const timespec now = {};
  const int probe = sys.EpollPwait2(set.get(), {&event, 1}, &now);
  return std::unique_ptr<Poller>(new EpollPoller(
      sys, clock, std::move(set), *std::move(wake), !IsMissing(probe)));
}

EpollPoller::EpollPoller(Sys& sys, const Clock& clock, ScopedFd set,
                         ScopedFd wake, bool sub_ms)
    : sys_(sys),
      clock_(clock),
      set_(std::move(set)),
      wake_(sys, std::move(wake)),
      capabilities_({.name = "epoll",
                     .edge = true,
                     .oneshot = true,
                     .rdhup = true,
                     .sub_ms = sub_ms,
                     .o1_wait = true}),
      pwait2_(sub_ms) {}

int EpollPoller::Control(int set, int op, int fd, const Registration& entry) {
  epoll_event event = {};
  event.events = ToEpoll(entry.interest);
  event.data.u64 = entry.token.Pack();
  return sys_.EpollCtl(set, op, fd, &event);
}

absl::Status EpollPoller::Add(int fd, Token token, Interest interest) {
  absl::Status allowed =
      registrations_.CanAdd(capabilities_, fd, token, interest);
  // mutant: P16_ASecondAddIsIgnored
  if (!allowed.ok()) return allowed;

  Entry entry = {{token, interest}};
  const int added = Control(set_.get(), EPOLL_CTL_ADD, fd, entry);
  // mutant: P16_ARegularFileIsTakenAndSilent
  if (added == -EPERM) {
    return absl::UnimplementedError(absl::StrCat(
        "epoll cannot watch fd ", fd,
        ": a regular file, a directory or another thing that is always ready"));
  }
  // mutant: P16_EveryAddIsBelieved, P13_AFailedAddIsIgnored
  if (added < 0) {
    return ErrnoStatus(added, SysCall::kEpollCtl, absl::StrCat("ADD, fd ", fd));
  }
  entry.in_set = true;
  // Only the kernel knows whether it accepts the descriptor. So one with an
  // empty interest is added to the set and removed again.
  if (!Wanted(interest)) {
    const int taken_out = Control(set_.get(), EPOLL_CTL_DEL, fd, entry);
    entry.in_set = false;
    if (taken_out < 0) stale_ = true;
  }
  if (interest.trigger == Trigger::kOneshot) oneshots_[token.Pack()] = fd;
  // mutant: P16_ADuplicateIsKept
  registrations_.Insert(fd, entry);
  return absl::OkStatus();
}

absl::Status EpollPoller::Modify(int fd, Token token, Interest interest) {
  Entry* const entry = registrations_.Find(fd, token);
  if (entry == nullptr) return NotRegistered(fd);
  absl::Status allowed = CheckTrigger(capabilities_, interest);
  if (!allowed.ok()) return allowed;

  // mutant: P16_AModifyThatChangesNothingIsSkipped
  // mutant: P16_AnEmptyInterestChangesNothing
  Entry changed = *entry;
  changed.interest = interest;
  changed.armed = true;
  if (interest.trigger == Trigger::kOneshot) oneshots_[token.Pack()] = fd;
  // mutant: P16_AHangupThatIsNotWaitedForSpins
  changed.in_set = Wanted(interest);
  if (!changed.in_set && !entry->in_set) {
    *entry = changed;
    return absl::OkStatus();
  }
  const int op = !changed.in_set ? EPOLL_CTL_DEL
                 : entry->in_set ? EPOLL_CTL_MOD
                                 : EPOLL_CTL_ADD;
  const int done = Control(set_.get(), op, fd, changed);
  if (done == -ENOENT || done == -EEXIST) {
    // The program closed the descriptor without Remove, and its number is now
    // another file. A new set contains only the files that are there now.
    const Entry before = std::exchange(*entry, changed);
    stale_ = true;
    absl::Status rebuilt = Rebuild();
    if (rebuilt.ok() && !entry->in_set && Wanted(interest)) {
      rebuilt = absl::InvalidArgumentError(
          absl::StrCat("fd ", fd, " is not what was registered"));
    }
    if (!rebuilt.ok()) *entry = before;
    return rebuilt;
  }
  if (done < 0) {
    return ErrnoStatus(done, SysCall::kEpollCtl, absl::StrCat("MOD, fd ", fd));
  }
  *entry = changed;
  return absl::OkStatus();
}

absl::Status EpollPoller::Remove(int fd, Token token) {
  Entry* const entry = registrations_.Find(fd, token);
  // mutant: P16_AnUnknownRegistrationIsForgiven
  if (entry == nullptr) return NotRegistered(fd);
  const Entry removed = *entry;
  if (!oneshots_.empty()) oneshots_.erase(token.Pack());
  // mutant: P16_WhatIsRemovedStaysRegistered
  registrations_.Erase(fd);
  // The descriptor was closed before Remove. If a duplicate of it is open, the
  // kernel keeps reporting it, so the set must be replaced.
  // mutant: P16_WhatIsRemovedStaysInTheSet
  // mutant: P16_WhatIsRemovedStaysWithADuplicate
  if (removed.in_set && Control(set_.get(), EPOLL_CTL_DEL, fd, removed) < 0) {
    stale_ = true;
    Rebuild().IgnoreError();  // Wait() tries again
  }
  return absl::OkStatus();
}

// Replaces the set by a new one with exactly the registrations. Two kinds stay
// registered, outside the set: a descriptor that the kernel no longer accepts,
// and a kOneshot that was reported.
absl::Status EpollPoller::Rebuild() {
  ScopedFd set(sys_, sys_.EpollCreate1(EPOLL_CLOEXEC));
  if (!set) return ErrnoStatus(set.get(), SysCall::kEpollCreate1, "again");
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kWakeToken.Pack();
  const int added = sys_.EpollCtl(set.get(), EPOLL_CTL_ADD, wake_.fd(), &event);
  if (added < 0) return ErrnoStatus(added, SysCall::kEpollCtl, "ADD, wakes");
  for (auto& [fd, entry] : registrations_) {
    if (!Wanted(entry.interest)) continue;
    // In the set it would report hangups and errors, even if it is disarmed.
    // mutant: P16_AReportedOneshotIsArmedAgain
    if (!entry.armed) {
      entry.in_set = false;
      continue;
    }
    const int done = Control(set.get(), EPOLL_CTL_ADD, fd, entry);
    if (done == -ENOMEM || done == -ENOSPC) {
      return ErrnoStatus(done, SysCall::kEpollCtl,
                         absl::StrCat("ADD, fd ", fd));
    }
    entry.in_set = done >= 0;
  }
  set_ = std::move(set);
  stale_ = false;
  return absl::OkStatus();
}

int EpollPoller::WaitOnce(size_t room, WaitLimit& limit) {
  // mutant: P16_WhatDoesNotFitIsDropped, P16_SomeArePreferredForEver
  const absl::Span<epoll_event> to(batch_.data(), room);
  if (pwait2_) {
    // mutant: P16_ItLooksOnAndOn
    const int ready = sys_.EpollPwait2(set_.get(), to, limit.spec());
    // mutant: P16_ASignalStartsTheTimeOver
    if (!IsMissing(ready)) return ready;
    pwait2_ = false;
  }
  return sys_.EpollWait(set_.get(), to, limit.millis());
}

bool EpollPoller::IsLive(Token token) {
  for (const auto& [fd, entry] : registrations_) {
    if (entry.token == token) return entry.in_set;
  }
  return false;
}

// Notes that a kOneshot was reported.
void EpollPoller::Disarm(Token token) {
  const auto oneshot = oneshots_.find(token.Pack());
  if (oneshot == oneshots_.end()) return;
  Entry* const entry = registrations_.Find(oneshot->second, token);
  if (entry == nullptr) return;
  entry->armed = entry->interest.trigger != Trigger::kOneshot;
}

absl::StatusOr<WaitResult> EpollPoller::Wait(absl::Span<Event> events,
                                             Instant deadline) {
  // mutant: P16_NoRoomIsAccepted
  if (events.empty()) {
    return absl::InvalidArgumentError("no room for a single event");
  }
  // mutant: P16_AWakeBeforeTheWaitIsForgotten
  // mutant: P16_AWakeByTheLoopsOwnThreadIsForgotten
  const size_t room = std::min(events.size(), kBatch);
  for (;;) {
    if (stale_) Rebuild().IgnoreError();
    // mutant: P16_ItIsEarly
    WaitLimit limit(clock_, deadline);
    const int ready = WaitOnce(room, limit);
    if (ready == -EINTR) continue;
    if (ready < 0) {
      return ErrnoStatus(
          ready, pwait2_ ? SysCall::kEpollPwait2 : SysCall::kEpollWait, "");
    }

    WaitResult result;
    for (const epoll_event& event :
         absl::MakeConstSpan(batch_.data(), static_cast<size_t>(ready))) {
      const Token token = Token::Unpack(event.data.u64);
      if (token == kWakeToken) {
        result.woken = wake_.Take();
      } else if (!stale_ || IsLive(token)) {
        if (!oneshots_.empty()) Disarm(token);
        // mutant: P16_ATokenIsCutShort
        events[result.events++] = {token, FromEpoll(event.events)};
      }
    }
    // If the batch is full, the wake may still be in the kernel's queue.
    if (static_cast<size_t>(ready) == room && !result.woken) {
      result.woken = wake_.Take();
    }
    if (result.events > 0 || result.woken || limit.passed()) return result;
    if (ready == 0 && !deadline.is_infinite() && clock_.Now() >= deadline) {
      return result;
    }
  }
}

}  // namespace trolley::internal
