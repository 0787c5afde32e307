// SPDX-License-Identifier: Apache-2.0
//
// EpollPoller: a Poller that uses epoll(7). It has all three triggers. It is
// the default: the cost of a Wait depends on how many descriptors are ready,
// not on how many are watched.
//
// Ownership: owns its epoll set and its wake descriptor; borrows Sys and Clock,
//            which outlive it. The clock must run with real time.
// Threads:   as Poller. Not bound to a thread.
// Bounds:    at most 256 events per Wait; two descriptors of its own.
// Ends:      the destructor closes both. A forked child shares the set with its
//            parent and must not use it (`fork_safe` is false).
//
// It hides three properties of epoll that Poller's contract does not allow:
//
//   - epoll reports hangup and error even for an empty interest, by every wait.
//     So a descriptor with interest kNone is taken out of the set.
//   - epoll keeps reporting a descriptor that was closed while a duplicate of
//     it is open, and the set has no way to remove it. So the set is made anew.
//   - epoll refuses regular files. Add returns Unimplemented, and the caller
//     decides what to do.

#ifndef TROLLEY_POLLER_BACKEND_EPOLL_POLLER_H_
#define TROLLEY_POLLER_BACKEND_EPOLL_POLLER_H_

#include <array>
#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/registrations.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"
#include "trolley/poller/wait_limit.h"
#include "trolley/poller/wake_fd.h"

namespace trolley::internal {

class EpollPoller final : public Poller {
 public:
  //   ResourceExhausted  no descriptor or memory is left
  //   any other          the error of the kernel, by poller/errno_status.h
  static absl::StatusOr<std::unique_ptr<Poller>> Create(Sys& sys,
                                                        const Clock& clock);

  absl::Status Add(int fd, Token token, Interest interest) override;
  absl::Status Modify(int fd, Token token, Interest interest) override;
  absl::Status Remove(int fd, Token token) override;
  absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                  Instant deadline) override;
  void Wake() override { wake_.Notify(); }
  const Capabilities& capabilities() const override { return capabilities_; }

 private:
  static constexpr size_t kBatch = 256;

  struct Entry : Registration {
    bool in_set = false;  // false while the interest is kNone
    bool armed = true;    // kOneshot: not reported yet
  };

  EpollPoller(Sys& sys, const Clock& clock, ScopedFd set, ScopedFd wake,
              bool sub_ms);

  int Control(int set, int op, int fd, const Registration& entry);
  absl::Status Rebuild();
  int WaitOnce(size_t room, WaitLimit& limit);
  bool IsLive(Token token);
  void Disarm(Token token);

  Sys& sys_;
  const Clock& clock_;
  ScopedFd set_;
  WakeFd wake_;
  const Capabilities capabilities_;
  bool pwait2_;         // the kernel has epoll_pwait2
  bool stale_ = false;  // the set holds a closed descriptor: Rebuild()
  Registrations<Entry> registrations_;
  // The descriptors of registrations that are, or were, kOneshot.
  absl::flat_hash_map<uint64_t, int> oneshots_;  // by Token::Pack()
  std::array<epoll_event, kBatch> batch_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_BACKEND_EPOLL_POLLER_H_
