// SPDX-License-Identifier: Apache-2.0
//
// TakeListenSockets: the sockets that a service manager, such as systemd, has
// opened for this process (sd_listen_fds(3)). Then a service is there for its
// clients while it starts, and it needs no rights for a low port.
//
//   absl::StatusOr<std::vector<trolley::ListenSocket>> sockets =
//       trolley::TakeListenSockets(trolley::RealSys());
//   ...
//   for (trolley::ListenSocket& each : *sockets) {
//     if (each.name == "links") {
//       absl::StatusOr<trolley::UnixListenSocket> socket =
//           trolley::AdoptUnix(trolley::RealSys(), std::move(each.fd));
//       ...
//     }
//   }
//
// AdoptUnix() and AdoptTcp() refuse a descriptor that is no listening socket of
// their kind. The protocol is that of systemd's manual page sd_listen_fds(3).
//
// Ownership: the caller owns the descriptors.
// Threads:   main, before it starts threads: it changes the environment.
// Bounds:    kMostListenSockets.
// Ends:      a second call gives no socket.

#ifndef TROLLEY_ACTORS_SYSTEMD_LISTEN_SOCKETS_H_
#define TROLLEY_ACTORS_SYSTEMD_LISTEN_SOCKETS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

// A count. More than any service has, and few enough to be checked one by one.
inline constexpr int kMostListenSockets = 1024;

struct ListenSocket {
  // FileDescriptorName= of the unit; "unknown" if the manager gives no names.
  // Printable.
  std::string name;
  ScopedFd fd;  // close-on-exec
};

// The sockets in the order of the unit. None: the manager has opened none, or
// those in the environment are for another process (LISTEN_PID). Removes
// LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES from the environment, so that no
// child process takes them for its own.
//
//   InvalidArgument      LISTEN_PID or LISTEN_FDS is no number, or is out of
//                        its range; or LISTEN_FDNAMES has another number of
//                        names
//   FailedPrecondition   one of the descriptors is not open; the text has its
//                        number
absl::StatusOr<std::vector<ListenSocket>> TakeListenSockets(Sys& sys);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SYSTEMD_LISTEN_SOCKETS_H_
