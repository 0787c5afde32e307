// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/uring/io_uring_poller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/poll_bits.h"
#include "trolley/poller/wait_limit.h"

namespace trolley::internal {
namespace {

constexpr uint32_t kWakeSlot = 0;

// How often Remove() enters the kernel again after EAGAIN, EBUSY or EINTR.
constexpr int kMostTries = 100;

// The bits of a request's number; the top bit marks operations.
constexpr uint32_t kRequestBits = 0x7fff'ffff;

uint64_t UserData(uint32_t slot, uint32_t request) {
  return (uint64_t{request & kRequestBits} << 32) | slot;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Poller>> IoUringPoller::Create(
    Sys& sys, const Clock& clock) {
  absl::StatusOr<std::unique_ptr<IoUringRing>> ring = IoUringRing::Open(sys);
  if (!ring.ok()) return ring.status();
  absl::StatusOr<ScopedFd> wake = WakeFd::Open(sys);
  if (!wake.ok()) return wake.status();
  return std::unique_ptr<Poller>(
      new IoUringPoller(sys, clock, *std::move(ring), *std::move(wake)));
}

IoUringPoller::IoUringPoller(Sys& sys, const Clock& clock,
                             std::unique_ptr<IoUringRing> ring, ScopedFd wake)
    : sys_(sys),
      clock_(clock),
      wake_(sys, std::move(wake)),
      capabilities_({.name = "io_uring",
                     .edge = true,
                     .oneshot = true,
                     .rdhup = true,
                     .any_fd = true,
                     .sub_ms = true,
                     .o1_wait = true,
                     .completion = ring->completes(),
                     .thread_bound = true}),
      ring_(std::move(ring)),
      operations_(sys, *ring_) {
  slots_.push_back(
      {.fd = wake_.fd(), .interest = {Ready::kReadable, Trigger::kEdge}});
  QueueToArm(kWakeSlot);
}

absl::Status IoUringPoller::Add(int fd, Token token, Interest interest) {
  absl::Status allowed =
      registrations_.CanAdd(capabilities_, fd, token, interest);
  if (!allowed.ok()) return allowed;
  // Checks now that `fd` is open, because the request is made later, when Add
  // has returned.
  const int flags = sys_.Fcntl(fd, F_GETFD);
  if (flags < 0) {
    return ErrnoStatus(flags, SysCall::kFcntl, absl::StrCat("fd ", fd));
  }
  uint32_t slot = static_cast<uint32_t>(slots_.size());
  if (free_slots_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].fd = fd;
  slots_[slot].token = token;
  slots_[slot].interest = interest;
  registrations_.Insert(fd, {{token, interest}, slot});
  QueueToArm(slot);
  return absl::OkStatus();
}

absl::Status IoUringPoller::Modify(int fd, Token token, Interest interest) {
  Entry* const entry = registrations_.Find(fd, token);
  if (entry == nullptr) return NotRegistered(fd);
  absl::Status allowed = CheckTrigger(capabilities_, interest);
  if (!allowed.ok()) return allowed;
  GiveUp(entry->slot);
  slots_[entry->slot].interest = interest;
  QueueToArm(entry->slot);
  return absl::OkStatus();
}

absl::Status IoUringPoller::Remove(int fd, Token token) {
  Entry* const entry = registrations_.Find(fd, token);
  if (entry == nullptr) return NotRegistered(fd);
  const uint32_t slot = entry->slot;
  const bool held = slots_[slot].in_kernel;
  registrations_.Erase(fd);
  GiveUp(slot);
  slots_[slot].fd = -1;
  free_slots_.push_back(slot);
  if (held) SubmitCancellations();
  return absl::OkStatus();
}

void IoUringPoller::QueueToArm(uint32_t slot) {
  if (slots_[slot].queued || !WantsAnything(slots_[slot].interest)) return;
  slots_[slot].queued = true;
  to_arm_.push_back(slot);
}

// From here on, no completion of the slot's old request is reported.
void IoUringPoller::GiveUp(uint32_t slot) {
  Slot& it = slots_[slot];
  if (it.in_kernel) to_cancel_.push_back(UserData(slot, it.request));
  it.in_kernel = false;
  it.quiet = false;
  ++it.request;
}

// Puts first the cancellations and then the new requests into the ring. Returns
// 0, or -errno if the kernel takes no more; the rest stays queued.
int IoUringPoller::ArmQueued() {
  int error = 0;
  while (!to_cancel_.empty()) {
    io_uring_sqe* const sqe = ring_->NextSubmission(error);
    if (sqe == nullptr) return error < 0 ? error : -EBUSY;
    // Not POLL_REMOVE, which leaves a request alone that has an event on its
    // way (-EALREADY).
    sqe->opcode = IORING_OP_ASYNC_CANCEL;
    sqe->fd = -1;
    sqe->addr = to_cancel_.back();
    sqe->user_data = IoUringRing::kIgnored;
    to_cancel_.pop_back();
  }
  // In order, so that the slot that has waited longest is armed first.
  size_t armed = 0;
  for (; armed < to_arm_.size(); ++armed) {
    const uint32_t slot = to_arm_[armed];
    Slot& it = slots_[slot];
    // The slot was removed, set to kNone or armed since it was queued.
    if (it.fd < 0 || it.in_kernel || !WantsAnything(it.interest)) {
      it.queued = false;
      continue;
    }
    io_uring_sqe* const sqe = ring_->NextSubmission(error);
    if (sqe == nullptr) break;
    sqe->opcode = IORING_OP_POLL_ADD;
    sqe->fd = it.fd;
    sqe->poll32_events = static_cast<uint16_t>(ToPollBits(it.interest));
    if (it.interest.trigger == Trigger::kEdge || it.quiet) {
      sqe->len = IORING_POLL_ADD_MULTI;
    }
    sqe->user_data = UserData(slot, ++it.request);
    it.in_kernel = true;
    it.queued = false;
  }
  const bool all = armed == to_arm_.size();
  to_arm_.erase(to_arm_.begin(), to_arm_.begin() + armed);
  if (all) return 0;
  return error < 0 ? error : -EBUSY;
}

// Makes the kernel cancel the requests of to_cancel_. If that fails, the next
// Wait does it.
void IoUringPoller::SubmitCancellations() {
  int done = ring_->Enable();
  if (done < 0) return;
  for (int i = 0; i < kMostTries && !to_cancel_.empty(); ++i) {
    done = ArmQueued();
    if (done < 0 && !IoUringRing::IsLater(done)) return;
  }
  for (int i = 0; i < kMostTries; ++i) {
    done = ring_->Enter(/*wait=*/false, nullptr);
    if (!IoUringRing::IsLater(done)) return;
  }
}

void IoUringPoller::Take(const io_uring_cqe& completion,
                         absl::Span<Event> events, WaitResult& result) {
  if (completion.user_data == IoUringRing::kIgnored) return;
  const uint32_t slot = static_cast<uint32_t>(completion.user_data);
  Slot& it = slots_[slot];
  if (completion.user_data != UserData(slot, it.request)) return;  // cancelled
  if ((completion.flags & IORING_CQE_F_MORE) == 0) {
    it.in_kernel = false;
    // kLevel looks again in the next Wait. The kernel may end an edge request
    // at any time; then a new one is made, which reports what holds at that
    // time.
    if (completion.res >= 0 && it.interest.trigger != Trigger::kOneshot) {
      QueueToArm(slot);
    }
  }
  if (slot == kWakeSlot) {
    if (completion.res < 0) QueueToArm(slot);
    result.woken = wake_.Take() || result.woken;
    return;
  }
  // Reports nothing. -ENOMEM: the kernel had no memory for the request, so it
  // is made again. -EBADF: fd was closed without Remove. -ECANCELED: the thread
  // has ended.
  if (completion.res < 0) {
    if (completion.res == -ENOMEM) QueueToArm(slot);
    return;
  }
  // io_uring reports a half-close with every interest, also with kWritable
  // alone, where it must not be reported. A request that ends with its first
  // completion would then end again and again. So the slot becomes `quiet`: it
  // gets a request that stays, until there is a condition to report.
  const bool reads = Any(it.interest.ready & Ready::kReadable);
  const Ready ready =
      FromPollBits(reads ? completion.res : completion.res & ~POLLRDHUP);
  if (!Any(ready)) {
    it.quiet = true;
    if (!it.in_kernel) QueueToArm(slot);
    return;
  }
  if (it.quiet) {
    GiveUp(slot);
    if (it.interest.trigger != Trigger::kOneshot) QueueToArm(slot);
  }
  if (it.wait == wait_) {  // a second change in the same Wait
    events[it.event].ready = events[it.event].ready | ready;
    return;
  }
  it.wait = wait_;
  it.event = result.events;
  events[result.events++] = {it.token, ready};
}

absl::StatusOr<WaitResult> IoUringPoller::Wait(absl::Span<Event> events,
                                               Instant deadline) {
  if (events.empty()) {
    return absl::InvalidArgumentError("no room for a single event");
  }
  if (const int done = ring_->Enable(); done < 0) {
    return ErrnoStatus(done, SysCall::kIoUringRegister, "ENABLE_RINGS");
  }
  ++wait_;
  for (;;) {
    int done = ArmQueued();
    if (done == 0) done = operations_.Submit();
    WaitLimit limit(clock_, deadline);
    if (done == 0) {
      const bool any = ring_->HasCompletion() || operations_.has_completed();
      done = ring_->Enter(!limit.passed() && !any, limit.spec());
    }
    if (done == -EEXIST) {
      return absl::FailedPreconditionError(
          "an io_uring poller belongs to the thread that used it first");
    }
    if (done < 0 && !IoUringRing::IsLater(done)) {
      return ErrnoStatus(done, SysCall::kIoUringEnter, "");
    }
    WaitResult result;
    size_t ended = 0;
    while (result.events + ended < events.size() && ring_->HasCompletion()) {
      const io_uring_cqe completion = ring_->TakeCompletion();
      if (operations_.Take(completion)) {
        ++ended;
      } else {
        Take(completion, events, result);
      }
    }
    result.completed = operations_.has_completed();
    // The completion of a wake may be behind completions that did not fit.
    if (!result.woken && ring_->HasCompletion()) result.woken = wake_.Take();
    if (result.events > 0 || result.woken || result.completed) return result;
    // Returns without an event only if the look succeeded and the kernel has no
    // work left for this thread.
    if (done >= 0 && ring_->HasUnfinished()) continue;
    if (done >= 0 && limit.passed()) return result;
    if (done >= 0 && !deadline.is_infinite() && clock_.Now() >= deadline) {
      return result;
    }
  }
}

}  // namespace trolley::internal
