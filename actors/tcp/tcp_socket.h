// SPDX-License-Identifier: Apache-2.0
//
// TcpListenSocket: a socket that listens for connections over TCP. No call
// waits: each descriptor is non-blocking, and it is close-on-exec.
//
//   absl::StatusOr<trolley::TcpListenSocket> listening =
//       trolley::ListenTcp(trolley::RealSys(), "[::]:7000");
//   std::cout << listening->address().port() << "\n";
//   absl::StatusOr<trolley::ScopedFd> connection = listening->Accept();
//
// Where it listens:
//
//   127.0.0.1:7000    this machine alone, over IPv4
//   10.0.0.7:7000     the interface with this address
//   0.0.0.0:7000      every interface, over IPv4
//   [::]:7000         every interface, over IPv6 and IPv4; with v6_only over
//                     IPv6
//   port 0            a free port, which the kernel chooses
//
// The socket has SO_REUSEADDR. So a server that is started again gets its port
// back while old connections are still in the kernel's memory.
//
// Ownership: owns its descriptors. The caller owns the connections. The Sys
//            outlives all of them.
// Threads:   one at a time for each object.
// Bounds:    `backlog` connections wait in the kernel; two descriptors for a
//            listener, one of them in reserve.
// Ends:      Close(), or the destructor.

#ifndef TROLLEY_ACTORS_TCP_TCP_SOCKET_H_
#define TROLLEY_ACTORS_TCP_TCP_SOCKET_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/link/internal/accept_reserve.h"
#include "trolley/actors/tcp/tcp_address.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

struct TcpListenOptions {
  // Connections that may wait to be accepted; a count, 0 or more. 128: a burst
  // of clients at start. The kernel cuts it at net.core.somaxconn.
  int backlog = 128;
  // For an address of IPv6: whether peers of IPv4 may not connect.
  bool v6_only = false;
};

class TcpListenSocket {
 public:
  TcpListenSocket(TcpListenSocket&&) noexcept = default;
  TcpListenSocket& operator=(TcpListenSocket&&) noexcept = default;

  // Takes one waiting connection.
  //   Unavailable         no connection waits; wait until fd() is readable
  //   ResourceExhausted   no descriptor or no memory is left. If has_reserve()
  //                       is true after the call, the connection was taken and
  //                       closed: call Accept() again. If it is false, the
  //                       connection still waits, and fd() stays readable: do
  //                       not watch fd() for a while
  //   other codes         the listener is broken (poller/errno_status.h)
  absl::StatusOr<ScopedFd> Accept() { return reserve_.Accept(fd(), endpoint_); }

  // To be watched for kReadable. -1 after Close().
  int fd() const { return listener_.get(); }
  // Where it listens, with the port that the kernel has chosen.
  const TcpAddress& address() const { return address_; }
  // The same as a text.
  const std::string& endpoint() const { return endpoint_; }

  // Connections closed because nothing was left to serve them; a count.
  uint64_t turned_away() const { return reserve_.turned_away(); }
  bool has_reserve() const { return reserve_.held(); }

  // Ends listening. Connections that were accepted go on. A second call does
  // nothing.
  void Close();

 private:
  friend absl::StatusOr<TcpListenSocket> ListenTcp(Sys&, absl::string_view,
                                                   const TcpListenOptions&);

  friend absl::StatusOr<TcpListenSocket> AdoptTcp(Sys&, ScopedFd);

  explicit TcpListenSocket(Sys& sys) : reserve_(sys) {}
  absl::Status Open(Sys& sys, const TcpAddress& at,
                    const TcpListenOptions& options);
  // Learns where it listens, and holds the reserve.
  absl::Status Finish(Sys& sys);

  ScopedFd listener_;
  internal::AcceptReserve reserve_;
  TcpAddress address_;
  std::string endpoint_;
};

// Listens at `where`, an address and a port.
//
//   InvalidArgument    `where` is no address with a port; names of hosts are
//                      none. Or an option is out of its range
//   AlreadyExists      another socket listens there
//   NotFound           this machine does not have this address
//   PermissionDenied   this user may not use a port as low as this
//   Unimplemented      this machine has no IPv6, or no IPv4
//   other codes        a call failed; the text names it
//                      (poller/errno_status.h)
absl::StatusOr<TcpListenSocket> ListenTcp(Sys& sys, absl::string_view where,
                                          const TcpListenOptions& options = {});

// Takes a socket that listens already, such as one of the service manager
// (actors/systemd/listen_sockets.h).
//
//   InvalidArgument     `fd` is no listening socket of TCP
//   ResourceExhausted   no descriptor is left for the reserve
//   other codes         a call failed (poller/errno_status.h)
absl::StatusOr<TcpListenSocket> AdoptTcp(Sys& sys, ScopedFd fd);

// The address of the peer of a connected socket, also when the peer has closed
// it by now. Errors: of getsockopt(2); InvalidArgument: `fd` is no socket of
// TCP.
absl::StatusOr<TcpAddress> TcpPeerOf(Sys& sys, int fd);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TCP_TCP_SOCKET_H_
