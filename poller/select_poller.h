// SPDX-License-Identifier: Apache-2.0
//
// SelectPoller: a Poller over select(2), the oldest of them. Each wait hands
// the kernel two bitmaps up to the highest descriptor number, however few there
// are in between. Here to be compared with, and for kernels that have nothing
// else.
//
// FD_SETSIZE, 1024, is a limit of the C library's fd_set, and writing past it
// is a classic way to corrupt a stack. These bitmaps are on the heap, as large
// as they must be, and go to the kernel directly; it has no such limit. The
// bound is max_fd instead, so that a stray number does not cost memory without
// end.
//
// What select cannot say it asks poll(2) for, without waiting and only for the
// descriptors that select has named: whether it was data, hangup or error.
//
// A hangup reaches who waits to write only where it makes the descriptor
// writable, as select has no other word for it. It does for every kind but a
// pipe's read end, which nobody can write to.
//
// select fails as a whole (EBADF) when one descriptor is closed; that one is
// then found and left out, so that it does not silence the others.
//
// Ownership: owns a wake descriptor; borrows Sys and Clock, which outlive it.
// Threads:   as Poller.
// Bounds:    descriptor numbers up to kMaxFd; four bitmaps of that many bits.

#ifndef TROLLEY_POLLER_SELECT_POLLER_H_
#define TROLLEY_POLLER_SELECT_POLLER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "trolley/poller/scan_poller.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/wake_fd.h"

namespace trolley {

class SelectPoller final : public ScanPoller {
 public:
  static constexpr int kMaxFd = (1 << 20) - 1;  // the kernel's fs.nr_open

  // ResourceExhausted: no descriptor left.
  static absl::StatusOr<std::unique_ptr<Poller>> Create(Sys& sys,
                                                        const Clock& clock);

  void Wake() override { wake_.Notify(); }

 private:
  SelectPoller(Sys& sys, const Clock& clock, ScopedFd wake);

  int Look(absl::Span<pollfd> items, WaitLimit& limit) override;
  int FindClosed(absl::Span<pollfd> items);
  int AskPoll(absl::Span<pollfd> items);
  bool TakeWake(bool readable) override { return readable && wake_.Drain(); }
  SysCall look_call() const override { return SysCall::kPselect6; }

  WakeFd wake_;
  std::vector<uint64_t> readable_;
  std::vector<uint64_t> writable_;
  std::vector<pollfd> named_;
  std::vector<size_t> named_at_;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_SELECT_POLLER_H_
