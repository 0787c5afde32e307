// SPDX-License-Identifier: Apache-2.0
//
// LinkSocket: a connection of a link as it was made: its socket, its peer, and
// its session. A Dialer returns one, and a listener gives one to each of its
// links:
//
//   trolley::LinkSocket connected{.fd = std::move(fd), .peer = peer};
//   bus.Spawn<trolley::StreamLink>({}, std::move(connected), options);
//
// A value; any thread.

#ifndef TROLLEY_ACTORS_LINK_LINK_SOCKET_H_
#define TROLLEY_ACTORS_LINK_LINK_SOCKET_H_

#include <memory>

#include "trolley/actors/link/link_peer.h"
#include "trolley/actors/link/link_session.h"
#include "trolley/actors/link/link_transport.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley {

struct LinkSocket {
  // A connected socket of type SOCK_STREAM or SOCK_SEQPACKET: non-blocking,
  // close-on-exec. The link reads from it, writes to it, and shuts it down.
  ScopedFd fd = {};
  LinkPeer peer = {};
  // Null: the bytes of the link travel as they are.
  std::unique_ptr<LinkSession> session = nullptr;
  // Null: `fd` is how the bytes travel. Otherwise `fd` is empty.
  std::unique_ptr<LinkTransport> transport = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_LINK_SOCKET_H_
