// SPDX-License-Identifier: Apache-2.0

#include "plain_poller.h"

#include <errno.h>
#include <fcntl.h>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/poll_bits.h"
#include "trolley/poller/wait_limit.h"

absl::StatusOr<std::unique_ptr<trolley::Poller>> PlainPoller::Create(
    trolley::Sys& sys, const trolley::Clock& clock) {
  absl::StatusOr<trolley::ScopedFd> wake = trolley::WakeFd::Open(sys);
  if (!wake.ok()) return wake.status();
  return std::unique_ptr<trolley::Poller>(
      new PlainPoller(sys, clock, *std::move(wake)));
}

absl::Status PlainPoller::Add(int fd, trolley::Token token,
                              trolley::Interest interest) {
  absl::Status allowed = watched_.CanAdd(can_, fd, token, interest);
  if (!allowed.ok()) return allowed;
  const int open = sys_.Fcntl(fd, F_GETFD);
  if (open < 0) {
    return trolley::ErrnoStatus(open, trolley::SysCall::kFcntl,
                                absl::StrCat("fd ", fd));
  }
  watched_.Insert(fd, {{token, interest}});
  return absl::OkStatus();
}

absl::Status PlainPoller::Modify(int fd, trolley::Token token,
                                 trolley::Interest interest) {
  Watched* const watched = watched_.Find(fd, token);
  if (watched == nullptr) return trolley::NotRegistered(fd);
  absl::Status allowed = trolley::CheckTrigger(can_, interest);
  if (!allowed.ok()) return allowed;
  *watched = {{token, interest}};
  return absl::OkStatus();
}

absl::Status PlainPoller::Remove(int fd, trolley::Token token) {
  if (watched_.Find(fd, token) == nullptr) return trolley::NotRegistered(fd);
  watched_.Erase(fd);
  return absl::OkStatus();
}

void PlainPoller::List() {
  items_.assign(1, {.fd = wake_.fd(), .events = POLLIN, .revents = 0});
  owners_.clear();
  for (auto& [fd, watched] : watched_) {
    if (watched.closed || !trolley::WantsAnything(watched.interest)) continue;
    items_.push_back({.fd = fd,
                      .events = trolley::ToPollBits(watched.interest),
                      .revents = 0});
    owners_.push_back(&watched);
  }
}

size_t PlainPoller::Collect(absl::Span<trolley::Event> events) {
  size_t found = 0;
  for (size_t i = 0; i < owners_.size() && found < events.size(); ++i) {
    next_ = (next_ + 1) % owners_.size();
    const short ready = items_[next_ + 1].revents;
    if ((ready & POLLNVAL) != 0) {
      owners_[next_]->closed = true;
    } else if (ready != 0) {
      events[found++] = {owners_[next_]->token, trolley::FromPollBits(ready)};
    }
  }
  return found;
}

absl::StatusOr<trolley::WaitResult> PlainPoller::Wait(
    absl::Span<trolley::Event> events, trolley::Instant deadline) {
  if (events.empty()) return absl::InvalidArgumentError("no room for an event");
  for (;;) {
    List();
    trolley::WaitLimit limit(clock_, deadline);  // anew: what is left of it
    const int ready = sys_.Ppoll(absl::MakeSpan(items_), limit.spec());
    if (ready == -EINTR) continue;
    if (ready < 0) {
      return trolley::ErrnoStatus(ready, trolley::SysCall::kPpoll,
                                  absl::StrCat(owners_.size(), " descriptors"));
    }
    trolley::WaitResult result;
    result.woken = items_[0].revents != 0 && wake_.Drain();
    result.events = Collect(events);
    const bool over =
        limit.passed() || (!deadline.is_infinite() && clock_.Now() >= deadline);
    if (result.events > 0 || result.woken || over) return result;
  }
}
