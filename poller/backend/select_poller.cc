// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/backend/select_poller.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>

namespace trolley::internal {
namespace {

void SetBit(std::vector<uint64_t>& bits, int fd) {
  bits[static_cast<size_t>(fd) / 64] |= uint64_t{1} << (fd % 64);
}

bool HasBit(const std::vector<uint64_t>& bits, int fd) {
  return (bits[static_cast<size_t>(fd) / 64] >> (fd % 64)) & 1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Poller>> SelectPoller::Create(
    Sys& sys, const Clock& clock) {
  absl::StatusOr<ScopedFd> wake = WakeFd::Open(sys);
  if (!wake.ok()) return wake.status();
  if (wake->get() > kMaxFd) {
    return absl::OutOfRangeError("the wake descriptor's number is too high");
  }
  return std::unique_ptr<Poller>(
      new SelectPoller(sys, clock, *std::move(wake)));
}

SelectPoller::SelectPoller(Sys& sys, const Clock& clock, ScopedFd wake)
    : ScanPoller(sys, clock,
                 {.name = "select",
                  .oneshot = true,
                  .rdhup = true,
                  .any_fd = true,
                  .sub_ms = true,
                  .max_fd = kMaxFd},
                 wake.get()),
      wake_(sys, std::move(wake)) {}

int SelectPoller::Look(absl::Span<pollfd> items, WaitLimit& limit) {
  int highest = -1;
  for (pollfd& item : items) {
    item.revents = 0;
    highest = std::max(highest, item.fd);
  }
  const size_t words = static_cast<size_t>(highest + 1 + 63) / 64;
  readable_.assign(words, 0);
  writable_.assign(words, 0);
  for (const pollfd& item : items) {
    if (item.fd < 0) continue;
    if (item.events & POLLIN) SetBit(readable_, item.fd);
    if (item.events & POLLOUT) SetBit(writable_, item.fd);
  }
  const int found = sys().Pselect6(highest + 1, readable_.data(),
                                   writable_.data(), nullptr, limit.spec());
  if (found == -EBADF) return FindClosed(items);
  if (found <= 0) return found;
  return AskPoll(items);
}

// select said that a descriptor is not open. Marks each one that is not.
int SelectPoller::FindClosed(absl::Span<pollfd> items) {
  int closed = 0;
  for (pollfd& item : items) {
    if (item.fd < 0 || sys().Fcntl(item.fd, F_GETFD) != -EBADF) continue;
    item.revents = POLLNVAL;
    ++closed;
  }
  // Another thread has opened the number again in the meantime: look again.
  return closed > 0 ? closed : -EINTR;
}

int SelectPoller::AskPoll(absl::Span<pollfd> items) {
  named_.clear();
  named_at_.clear();
  for (size_t i = 0; i < items.size(); ++i) {
    const int fd = items[i].fd;
    if (fd < 0 || (!HasBit(readable_, fd) && !HasBit(writable_, fd))) continue;
    named_.push_back(items[i]);
    named_at_.push_back(i);
  }
  const timespec now = {};
  const int found = sys().Ppoll(absl::MakeSpan(named_), &now);
  if (found < 0) return found;
  for (size_t i = 0; i < named_.size(); ++i) {
    items[named_at_[i]].revents = named_[i].revents;
  }
  return found;
}

}  // namespace trolley::internal
