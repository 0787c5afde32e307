// SPDX-License-Identifier: Apache-2.0
//
// TlsLink: a link to a process of another machine over TLS 1.3: a TcpLink
// (actors/tcp/tcp_link.h) whose bytes no other party can read or change, and
// whose peer has shown who it is by its certificate.
//
//   trolley::TlsLinkOptions options;
//   options.tls = {.certificate_file = "tls.crt", .key_file = "tls.key",
//                  .trusted_file = "ca.crt"};
//   options.blocking = (*pool)->blocking();   // to look the name up
//   auto link = bus->Spawn<trolley::TlsLink>({}, "db.internal:7000", options);
//
// The certificate of the peer must be trusted (TlsOptions), and must have the
// name that was dialled. The link has no connection otherwise. Then LinkDown
// has LinkEnd::kHandshake, and one of these:
//
//   Unauthenticated     the certificate of the peer is not trusted: expired,
//                       revoked, self-signed, or with other names; or the peer
//                       does not trust ours, and says so
//   PermissionDenied    TlsOptions::allowed_names or authorize of either side
//   InvalidArgument     the peer does not speak TLS 1.3, or not to a link
//   DeadlineExceeded    LinkOptions::handshake_deadline
//
// After the handshake the link is as any other. LinkPeer::identity, which
// LinkUp has, is the first name in the certificate.
//
//   LinkStats::bytes_in, bytes_out   of the link, before they are sealed
//   LinkStats::written               the kernel has the whole record
//
// Ownership, threads, bounds and ends: as StreamLink. A handshake takes the
// loop about 1 ms of CPU.

#ifndef TROLLEY_ACTORS_TLS_TLS_LINK_H_
#define TROLLEY_ACTORS_TLS_TLS_LINK_H_

#include <memory>
#include <string>

#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/link/stream_link.h"
#include "trolley/actors/tls/tls_options.h"

namespace trolley {

class TlsLink : public StreamLink {
 public:
  explicit TlsLink(std::string endpoint, TlsLinkOptions options = {});

  // Takes a connection with its session; as StreamLink.
  TlsLink(LinkSocket connected, LinkOptions options,
          std::shared_ptr<void> connection_slot = nullptr);
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TLS_TLS_LINK_H_
