// SPDX-License-Identifier: Apache-2.0
//
// LinkSession: what stands between a link and its socket: it seals the bytes of
// the link, and opens those of the peer. TLS is one (actors/tls/tls_link.h). A
// Dialer or an Acceptor makes one for each connection. Without one, the bytes
// of the link are those of the socket.
//
// The link calls it in this order:
//
//   while (!*session.Shake()) { ...read(session.PrepareRead())... Commit(n) }
//   session.Identify(peer)
//   Open() for bytes of the peer, Seal() for those of the link, in any order
//   Close()
//
// After each call the link writes sealed() to the socket.
//
// Ownership: the connection owns it.
// Threads:   loop thread only.
// Bounds:    what Commit() and Seal() got and was not taken out again. The link
//            seals no more before sealed() is empty.
// Ends:      with the connection. An error is final.

#ifndef TROLLEY_ACTORS_LINK_LINK_SESSION_H_
#define TROLLEY_ACTORS_LINK_LINK_SESSION_H_

#include <sys/uio.h>

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/actors/link/link_peer.h"

namespace trolley {

class LinkSession {
 public:
  virtual ~LinkSession() = default;

  // Room for bytes of the socket; not empty. Commit() says how many came.
  virtual absl::Span<char> PrepareRead() = 0;
  virtual void Commit(size_t bytes) = 0;

  // Goes on with the handshake. True: it is complete. False: it needs more
  // bytes of the peer. An error is the reason of LinkEnd::kHandshake.
  virtual absl::StatusOr<bool> Shake() = 0;
  // After the handshake: fills in what the session knows of the peer.
  // PermissionDenied (wire::WireError::kNotPermitted): that peer may not talk
  // to this process.
  virtual absl::Status Identify(LinkPeer& peer) = 0;

  // Opens what has come. The result is the number of bytes in `into`; 0: more
  // bytes of the socket are needed; nullopt: the peer has ended the session. An
  // error: the peer broke a rule.
  virtual absl::StatusOr<std::optional<size_t>> Open(absl::Span<char> into) = 0;

  // Seals `parts`. The caller waits until sealed() is empty before it seals
  // more.
  virtual absl::Status Seal(absl::Span<const iovec> parts) = 0;
  // What the socket is to get; valid until the next call of another method.
  virtual absl::Span<const char> sealed() const = 0;
  // The socket has taken the first `bytes` of sealed(). Returns how many bytes
  // of Seal() the peer can open with them.
  virtual size_t Wrote(size_t bytes) = 0;

  // Tells the peer that no more comes, as far as the session can.
  virtual void Close() = 0;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_LINK_SESSION_H_
