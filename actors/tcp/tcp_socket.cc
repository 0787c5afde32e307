// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/tcp_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/link/internal/adopted_listener.h"
#include "trolley/poller/errno_status.h"

namespace trolley {
namespace {

absl::Status BindError(int result, const TcpAddress& at) {
  const absl::Status error = ErrnoStatus(result, SysCall::kBind, at.ToString());
  switch (-result) {
    case EADDRNOTAVAIL:
      return absl::NotFoundError(
          absl::StrCat("this machine does not have the address ", at.ip(), ": ",
                       error.message()));
    case EACCES:
      return absl::PermissionDeniedError(absl::StrCat(
          error.message(),
          "; ports below net.ipv4.ip_unprivileged_port_start, which is 1024 "
          "usually, need CAP_NET_BIND_SERVICE"));
    default:
      return error;
  }
}

}  // namespace

absl::Status TcpListenSocket::Open(Sys& sys, const TcpAddress& at,
                                   const TcpListenOptions& options) {
  const std::string text = at.ToString();
  listener_ = ScopedFd(
      sys, sys.Socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                      IPPROTO_TCP));
  if (!listener_) return ErrnoStatus(fd(), SysCall::kSocket, text);
  listener_.CheckFlags();
  const int reuse = 1;
  int result =
      sys.Setsockopt(fd(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
  if (result < 0) {
    return ErrnoStatus(result, SysCall::kSetsockopt, "SO_REUSEADDR");
  }
  if (at.family() == AF_INET6) {
    const int v6_only = options.v6_only ? 1 : 0;
    result = sys.Setsockopt(fd(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only,
                            sizeof(v6_only));
    if (result < 0) {
      return ErrnoStatus(result, SysCall::kSetsockopt, "IPV6_V6ONLY");
    }
  }
  result = sys.Bind(fd(), at.data(), at.size());
  if (result < 0) return BindError(result, at);
  result = sys.Listen(fd(), options.backlog);
  if (result < 0) return ErrnoStatus(result, SysCall::kListen, text);
  return Finish(sys);
}

absl::Status TcpListenSocket::Finish(Sys& sys) {
  sockaddr_in6 bound = {};  // as long as one of IPv4, and longer
  socklen_t size = sizeof(bound);
  const int result =
      sys.Getsockname(fd(), reinterpret_cast<sockaddr*>(&bound), &size);
  if (result < 0) {
    return ErrnoStatus(result, SysCall::kGetsockname,
                       "the address of a listening socket");
  }
  const std::optional<TcpAddress> address =
      TcpAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&bound), size);
  if (!address.has_value()) {
    return absl::InternalError("a socket of TCP has an address of no IP");
  }
  address_ = *address;
  endpoint_ = address_.ToString();
  return reserve_.Hold();
}

void TcpListenSocket::Close() {
  listener_.reset();
  reserve_.Drop();
}

absl::StatusOr<TcpListenSocket> ListenTcp(Sys& sys, absl::string_view where,
                                          const TcpListenOptions& options) {
  const absl::StatusOr<TcpAddress> at = TcpAddress::Parse(where);
  if (!at.ok()) return at.status();
  if (options.backlog < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "TcpListenOptions::backlog is ", options.backlog, "; it is 0 or more"));
  }
  TcpListenSocket socket(sys);
  absl::Status opened = socket.Open(sys, *at, options);
  if (!opened.ok()) return opened;
  return socket;
}

absl::StatusOr<TcpListenSocket> AdoptTcp(Sys& sys, ScopedFd fd) {
  absl::Status good = internal::PrepareAdoptedListener(sys, fd.get(), AF_INET);
  if (!good.ok()) return good;
  TcpListenSocket socket(sys);
  socket.listener_ = std::move(fd);
  const absl::Status finished = socket.Finish(sys);
  if (!finished.ok()) return finished;
  return socket;
}

absl::StatusOr<TcpAddress> TcpPeerOf(Sys& sys, int fd) {
  const std::string thing = absl::StrCat("SO_PEERNAME, fd ", fd);
  // The kernel wants the exact size, and that depends on the family.
  sockaddr_in6 peer = {};
  for (const socklen_t exact : {sizeof(sockaddr_in), sizeof(sockaddr_in6)}) {
    socklen_t size = exact;
    const int result =
        sys.Getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &peer, &size);
    if (result < 0) return ErrnoStatus(result, SysCall::kGetsockopt, thing);
    const std::optional<TcpAddress> address = TcpAddress::FromSockaddr(
        reinterpret_cast<const sockaddr*>(&peer), size);
    if (address.has_value()) return *address;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(thing, ": not a connected socket of TCP"));
}

}  // namespace trolley
