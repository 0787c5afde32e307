// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/accept_reserve.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"

namespace trolley::internal {
namespace {

// Accept() passes over connections that ended while they waited, this many at
// a time, so that it returns to its loop.
constexpr int kMaxAcceptTries = 16;

}  // namespace

absl::Status AcceptReserve::Hold() {
  reserve_ = ScopedFd(*sys_, sys_->Eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (held()) return absl::OkStatus();
  return ErrnoStatus(reserve_.get(), SysCall::kEventfd, "the reserve");
}

// Takes one connection with the reserve, and closes it. Returns what accept4
// did.
int AcceptReserve::TurnOneAway(int listener) {
  reserve_.reset();
  const int result =
      sys_->Accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (result >= 0) {
    // mutant: P12_APeerTurnedAwayIsNotClosed
    sys_->Close(result);
    ++turned_away_;
  }
  // Any other failure leaves the connection waiting, and held() false.
  // mutant: P12_TheReserveIsGivenUpOnce
  if (result >= 0 || result == -EAGAIN) Hold().IgnoreError();
  return result;
}

absl::StatusOr<ScopedFd> AcceptReserve::Accept(int listener,
                                               absl::string_view where) {
  // Another thread or process may have taken the last descriptor meanwhile.
  if (!held()) Hold().IgnoreError();
  for (int i = 0; i < kMaxAcceptTries; ++i) {
    ScopedFd connection(*sys_, sys_->Accept4(listener, nullptr, nullptr,
                                             SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection) {
      connection.CheckFlags();
      return connection;
    }
    const int error = -connection.get();
    const bool out_of_resources = error == EMFILE || error == ENFILE ||
                                  error == ENOBUFS || error == ENOMEM;
    // The kernel looks for a free descriptor before it looks for a connection,
    // so only turning one away tells whether one waits at all.
    // mutant: P12_NoPeerIsTakenForAnError
    if (error == EAGAIN ||
        (out_of_resources && held() && TurnOneAway(listener) == -EAGAIN)) {
      return absl::UnavailableError(
          absl::StrCat("no connection waits at ", where));
    }
    // It has gone while it waited.
    // mutant: P12_AConnectionThatEndedBreaksTheListener
    if (error != EINTR && !IsOfOneConnection(-error)) {
      return ErrnoStatus(error, SysCall::kAccept4, where);
    }
  }
  return absl::UnavailableError(
      absl::StrCat("no connection that waited at ", where, " lived"));
}

}  // namespace trolley::internal
