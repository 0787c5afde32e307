// SPDX-License-Identifier: Apache-2.0
//
// AcceptReserve: takes the connections of a listening socket, and holds one
// descriptor in reserve for the time when no other is left. With it a
// connection can be taken and closed, so that its peer learns at once, instead
// of waiting until it gives up.
//
//   AcceptReserve reserve(sys);
//   absl::Status held = reserve.Hold();
//   absl::StatusOr<ScopedFd> connection = reserve.Accept(listener, "the path");
//
// Ownership: owns the reserve; borrows the listening socket.
// Threads:   one at a time.
// Bounds:    one descriptor.
// Ends:      Drop(), or the destructor.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_ACCEPT_RESERVE_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_ACCEPT_RESERVE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

class AcceptReserve {
 public:
  explicit AcceptReserve(Sys& sys) : sys_(&sys) {}
  AcceptReserve(AcceptReserve&&) noexcept = default;
  AcceptReserve& operator=(AcceptReserve&&) noexcept = default;

  // Takes the descriptor. Errors: of eventfd(2).
  absl::Status Hold();
  void Drop() { reserve_.reset(); }
  bool held() const { return static_cast<bool>(reserve_); }

  // Takes one waiting connection of `listener`, non-blocking and close-on-exec.
  // `where`: for errors. Codes: as Acceptor::Accept(), with held() for
  // has_reserve() (actors/link/acceptor.h).
  absl::StatusOr<ScopedFd> Accept(int listener, absl::string_view where);

  // Connections closed because nothing was left to serve them; a count.
  uint64_t turned_away() const { return turned_away_; }

 private:
  int TurnOneAway(int listener);

  Sys* sys_;
  ScopedFd reserve_;  // given up for a moment when there is no other
  uint64_t turned_away_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_ACCEPT_RESERVE_H_
