// SPDX-License-Identifier: Apache-2.0
//
// TcpLink: a link to a process of another machine, or of this one, over TCP: a
// StreamLink (actors/link/stream_link.h, which has the whole contract) that
// dials a host and a port.
//
//   auto pool = trolley::BlockingPool::Create(*bus, {.threads = 2});
//   trolley::TcpLinkOptions options;
//   options.blocking = (*pool)->blocking();
//   auto link = bus->Spawn<trolley::TcpLink>({}, "db.internal:7000", options);
//   auto top =
//       bus->Spawn<trolley::Remote<TopK>>({}, *link, "wordcount/top");
//
// "10.0.0.7:7000" and "[fd00::7]:7000" need no lookup, and so no pool. A name
// is looked up for each attempt, on a thread of the pool. The link tries the
// addresses in the order of the lookup until one connects.
//
// TCP hides nothing and does not say who the peer is. Use it within a network
// that you trust; a TlsLink (actors/tls/tls_link.h) needs no such network.
//
// What differs from a link to a process of this machine:
//
//   LinkStats::written    the kernel of this machine has the message. It is
//                         lost if the other machine or the network fails, and
//                         if this link ends while messages of the peer come in
//   LinkUp::peer_uid      kUnknownUid
//   LinkUp::peer_pid      0
//
// When the link has no connection (LinkEnd::kNoConnection):
//
//   InvalidArgument     an option, or the endpoint, is not valid; the link ends
//   NotFound            the name is not known
//   Unavailable         no process listens there, no machine is there, or no
//                       name server answers
//   DeadlineExceeded    lookup_timeout or connect_timeout
//   ResourceExhausted   no descriptor or port is left, or the pool is full
//   other codes         a call failed (poller/errno_status.h)
//
// The text names the host, and for each address the call and its error. The
// code is that of the last address.
//
// When the peer has vanished (TcpSocketOptions), the end is LinkEnd::kSystem
// with DeadlineExceeded. If a router has said before that the peer cannot be
// reached, the end is LinkEnd::kLost.
//
// Ownership, threads, bounds and ends: as StreamLink.

#ifndef TROLLEY_ACTORS_TCP_TCP_LINK_H_
#define TROLLEY_ACTORS_TCP_TCP_LINK_H_

#include <memory>
#include <string>

#include "trolley/actors/link/link_options.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/link/stream_link.h"
#include "trolley/actors/tcp/tcp_link_options.h"

namespace trolley {

class TcpLink : public StreamLink {
 public:
  explicit TcpLink(std::string endpoint, TcpLinkOptions options = {});

  // Takes a connection; as StreamLink.
  TcpLink(LinkSocket connected, LinkOptions options,
          std::shared_ptr<void> connection_slot = nullptr);
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TCP_TCP_LINK_H_
