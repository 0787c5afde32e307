// SPDX-License-Identifier: Apache-2.0
//
// SelectPoller: a Poller that uses select(2). Each Wait gives the kernel two
// bitmaps up to the highest descriptor number, even if few of those are
// watched. It is here for comparison, and for kernels that have no other call.
//
//   - The C library's fd_set has FD_SETSIZE (1024) bits, and a write beyond
//     these corrupts memory. These bitmaps are on the heap and as large as
//     needed, and the kernel has no such limit. kMaxFd is the limit here, so
//     that one very high number does not use too much memory.
//   - select does not tell data, hangup and error apart. So poll(2) is asked,
//     without waiting, about the descriptors that select has reported.
//   - A registration that waits only for kWritable sees a hangup only if the
//     hangup makes the descriptor writable. That is so for every kind except
//     the read end of a pipe, which is never written to.
//   - If one descriptor is closed, select as a whole fails with EBADF. The
//     closed one is then found and left out, so that the others still work.
//
// Ownership: owns a wake descriptor; borrows Sys and Clock, which outlive it.
// Threads:   as Poller.
// Bounds:    descriptor numbers up to kMaxFd; two bitmaps of that many bits.

#ifndef TROLLEY_POLLER_BACKEND_SELECT_POLLER_H_
#define TROLLEY_POLLER_BACKEND_SELECT_POLLER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "trolley/poller/backend/scan_poller.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/wake_fd.h"

namespace trolley::internal {

class SelectPoller final : public ScanPoller {
 public:
  static constexpr int kMaxFd = (1 << 20) - 1;  // the kernel's fs.nr_open

  //   ResourceExhausted  no descriptor is left
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

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_BACKEND_SELECT_POLLER_H_
