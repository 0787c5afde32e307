// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/internal/connect_tcp.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "trolley/actors/link/internal/ready_watch.h"
#include "trolley/poller/errno_status.h"

namespace trolley::internal {
namespace {

// Where no process listens, the kernel may choose the port that it dials as the
// port of this side. Then the socket is connected to itself.
absl::Status CheckPeer(Sys& sys, int fd, const TcpAddress& to) {
  sockaddr_in6 own = {};
  socklen_t size = sizeof(own);
  const int result =
      sys.Getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size);
  if (result < 0) {
    return ErrnoStatus(result, SysCall::kGetsockname, to.ToString());
  }
  if (TcpAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&own), size) ==
      to) {
    return ErrnoStatus(ECONNREFUSED, SysCall::kConnect, to.ToString());
  }
  return absl::OkStatus();
}

}  // namespace

Task<absl::StatusOr<ScopedFd>> ConnectTcp(ActorContext context, TcpAddress to,
                                          TcpSocketOptions options,
                                          absl::Duration timeout) {
  Sys& sys = context.sys();
  const std::string name = to.ToString();
  ScopedFd fd(
      sys, sys.Socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                      IPPROTO_TCP));
  if (!fd) co_return ErrnoStatus(fd.get(), SysCall::kSocket, name);
  fd.CheckFlags();
  absl::Status set = SetTcpSocketOptions(sys, fd.get(), options);
  if (!set.ok()) co_return set;

  const Instant deadline = context.Now() + timeout;
  ReadyWatch watch(context);
  for (;;) {
    // The same call says how the one before it ended.
    const int result = sys.Connect(fd.get(), to.data(), to.size());
    if (result == 0 || result == -EISCONN) break;
    if (result == -EINTR) continue;
    if (result != -EINPROGRESS && result != -EALREADY) {
      co_return ErrnoStatus(result, SysCall::kConnect, name);
    }
    absl::Status watched = watch.Begin(fd.get(), Ready::kWritable);
    if (!watched.ok()) co_return watched;
    const bool answered = co_await watch.ready().Wait(deadline);
    watch.End();
    if (!answered) {
      co_return absl::DeadlineExceededError(
          absl::StrCat("connect(", name, "): no answer within ",
                       absl::FormatDuration(timeout)));
    }
  }
  absl::Status good = CheckPeer(sys, fd.get(), to);
  if (!good.ok()) co_return good;
  co_return std::move(fd);
}

}  // namespace trolley::internal
