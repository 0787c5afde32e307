// SPDX-License-Identifier: Apache-2.0
//
// Acceptor: how a StreamListener (actors/link/stream_listener.h) gets its
// connections. It has the listening socket of one transport, and it identifies
// the peers. For a transport of your own, derive a class from it:
//
//   class MyAcceptor : public trolley::Acceptor { ... };
//   bus.Spawn<trolley::StreamListener>({}, std::make_unique<MyAcceptor>());
//
// Ownership: the listener owns it; it owns the socket.
// Threads:   loop thread only: the loop of the listener.
// Bounds:    the listening socket, and one descriptor in reserve.
// Ends:      Close(), once; then the destructor.

#ifndef TROLLEY_ACTORS_LINK_ACCEPTOR_H_
#define TROLLEY_ACTORS_LINK_ACCEPTOR_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/context.h"
#include "trolley/actors/link/link_peer.h"
#include "trolley/actors/link/link_session.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

class Acceptor {
 public:
  virtual ~Acceptor() = default;

  // Called once, before the listener accepts: prepares the socket. An error is
  // logged, and the listener ends.
  virtual absl::Status Start(Sys&) { return absl::OkStatus(); }

  // Where it listens, for the log: a path, or host:port.
  virtual const std::string& endpoint() const = 0;
  // The listening socket. The listener accepts from a duplicate of it.
  virtual int fd() const = 0;

  // Takes one waiting connection, non-blocking and close-on-exec. The listener
  // calls it when it had no descriptor for the connection.
  //   Unavailable        no connection waits
  //   ResourceExhausted  no descriptor is left. If has_reserve() is true after
  //                      the call, the acceptor has taken and closed the
  //                      connection. If it is false, the connection still waits
  //   other codes        the socket is broken; the listener ends
  virtual absl::StatusOr<ScopedFd> Accept() = 0;
  virtual bool has_reserve() const = 0;
  // Connections that Accept() took and closed; a count.
  virtual uint64_t turned_away() const = 0;

  // Identifies the peer at the other end of `fd`, an accepted connection.
  virtual absl::StatusOr<LinkPeer> PeerOf(Sys& sys, int fd) const = 0;
  // PermissionDenied (wire::WireError::kNotPermitted): that peer may not
  // connect. Other codes: the acceptor cannot find out.
  virtual absl::Status MayConnect(Sys& sys, int fd,
                                  const LinkPeer& peer) const = 0;

  // The session of a new connection. Null: the transport has none.
  //   Unavailable   the acceptor cannot make one now; the listener closes the
  //                 connection
  virtual absl::StatusOr<std::unique_ptr<LinkSession>> NewSession(
      const ActorContext&) {
    return nullptr;
  }
  // A peer that is turned away is told why, in plain bytes.
  virtual bool tells_why() const { return true; }

  // Ends listening, and leaves nothing behind.
  virtual void Close() = 0;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_ACCEPTOR_H_
