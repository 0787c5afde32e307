// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/backend/scan_poller.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/poll_bits.h"

namespace trolley::internal {

ScanPoller::ScanPoller(Sys& sys, const Clock& clock,
                       const Capabilities& capabilities, int wake_fd)
    : sys_(sys), clock_(clock), capabilities_(capabilities) {
  items_.push_back({.fd = wake_fd, .events = POLLIN, .revents = 0});
  registered_.push_back(
      {.fd = wake_fd, .token = {}, .trigger = Trigger::kLevel});
}

void ScanPoller::Arm(pollfd& item, int fd, Interest interest) {
  item = {.fd = WantsAnything(interest) ? fd : -1,
          .events = ToPollBits(interest),
          .revents = 0};
}

absl::Status ScanPoller::Add(int fd, Token token, Interest interest) {
  absl::Status allowed =
      registrations_.CanAdd(capabilities_, fd, token, interest);
  if (!allowed.ok()) return allowed;
  const int flags = sys_.Fcntl(fd, F_GETFD);
  if (flags < 0) {
    return ErrnoStatus(flags, SysCall::kFcntl, absl::StrCat("fd ", fd));
  }
  registrations_.Insert(fd, {{token, interest}, items_.size()});
  Arm(items_.emplace_back(), fd, interest);
  registered_.push_back({fd, token, interest.trigger});
  return absl::OkStatus();
}

absl::Status ScanPoller::Modify(int fd, Token token, Interest interest) {
  Entry* const entry = registrations_.Find(fd, token);
  if (entry == nullptr) return NotRegistered(fd);
  absl::Status allowed = CheckTrigger(capabilities_, interest);
  if (!allowed.ok()) return allowed;
  entry->interest = interest;
  Arm(items_[entry->at], fd, interest);
  registered_[entry->at].trigger = interest.trigger;
  return absl::OkStatus();
}

absl::Status ScanPoller::Remove(int fd, Token token) {
  Entry* const entry = registrations_.Find(fd, token);
  if (entry == nullptr) return NotRegistered(fd);
  // Moves the last entry into the gap.
  const size_t gap = entry->at;
  registrations_.Erase(fd);
  if (gap + 1 != items_.size()) {
    items_[gap] = items_.back();
    registered_[gap] = registered_.back();
    registrations_.Find(registered_[gap].fd, registered_[gap].token)->at = gap;
  }
  items_.pop_back();
  registered_.pop_back();
  return absl::OkStatus();
}

// Reports what the last look found. Begins where the call before ended.
size_t ScanPoller::Collect(absl::Span<Event> events) {
  const size_t watched = items_.size() - 1;
  if (next_ > watched) next_ = 1;
  size_t at = next_;
  size_t reported = 0;
  for (size_t i = 0; i < watched && reported < events.size(); ++i) {
    pollfd& item = items_[at];
    if (item.fd >= 0 && (item.revents & POLLNVAL) != 0) {
      item.fd = -1;  // closed without Remove; else no look would wait again
    } else if (item.fd >= 0 && item.revents != 0) {
      events[reported++] = {registered_[at].token, FromPollBits(item.revents)};
      if (registered_[at].trigger == Trigger::kOneshot) item.fd = -1;
    }
    at = at == watched ? 1 : at + 1;
  }
  next_ = at;
  return reported;
}

absl::StatusOr<WaitResult> ScanPoller::Wait(absl::Span<Event> events,
                                            Instant deadline) {
  if (events.empty()) {
    return absl::InvalidArgumentError("no room for a single event");
  }
  for (;;) {
    WaitLimit limit(clock_, deadline);
    const int found = Look(absl::MakeSpan(items_), limit);
    if (found == -EINTR) continue;
    if (found < 0) {
      return ErrnoStatus(found, look_call(),
                         absl::StrCat(items_.size() - 1, " descriptors"));
    }
    WaitResult result;
    result.woken = TakeWake(items_[0].fd >= 0 && items_[0].revents != 0);
    if (found > 0) result.events = Collect(events);
    if (result.events > 0 || result.woken || limit.passed()) return result;
    if (found == 0 && !deadline.is_infinite() && clock_.Now() >= deadline) {
      return result;
    }
  }
}

}  // namespace trolley::internal
