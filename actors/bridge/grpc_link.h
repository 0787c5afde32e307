// SPDX-License-Identifier: Apache-2.0
//
// GrpcLink: a link to another process over gRPC: a StreamLink
// (actors/link/stream_link.h, which has the whole contract) that calls
// Bridge.Link of a server (proto/bridge.proto). A BridgeService
// (actors/bridge/bridge_service.h) is such a server.
//
//   trolley::GrpcLinkOptions options;
//   options.credentials = grpc::SslCredentials({.pem_root_certs = roots});
//   auto link = bus.Spawn<trolley::GrpcLink>({}, "dns:///db.internal:7000",
//                                            options);
//   auto top = bus.Spawn<trolley::Remote<TopK>>({}, *link, "wordcount/top");
//
// The target is a name as gRPC has it: "dns:///host:port", "host:port",
// "unix:/run/db.sock". The threads of gRPC look it up and connect. Each attempt
// has a channel of its own, so the backoff of the link is the only one, and two
// links share no connection.
//
// What differs from a link over a socket:
//
//   LinkStats::written    gRPC has the message, or one of the two pieces that
//                         wait for it. It is lost if the call fails
//   LinkUp::peer_uid      kUnknownUid
//   LinkUp::peer_pid      0
//
// Keepalive is LinkOptions::heartbeat: it also finds a server whose gRPC
// answers and whose loop does not.
//
// When the link has no connection (LinkEnd::kNoConnection):
//
//   InvalidArgument     an option, or the target, is not valid; the link ends
//   DeadlineExceeded    connect_timeout
//   ResourceExhausted   the server has too many links; or this machine has too
//                       few threads or descriptors for gRPC
//   other codes         that of gRPC: Unavailable (no server is there, the
//                       credentials do not fit, or the server is draining),
//                       Unimplemented (the server is no bridge),
//                       Unauthenticated and PermissionDenied (the server says
//                       so)
//
// Ownership, bounds and ends: as StreamLink. After its end gRPC keeps the call
//            until the server has read the rest, at most 5 s.
// Threads:   as any actor. No thread of gRPC waits for the loop, and the loop
//            waits for none of them.

#ifndef TROLLEY_ACTORS_BRIDGE_GRPC_LINK_H_
#define TROLLEY_ACTORS_BRIDGE_GRPC_LINK_H_

#include <string>

#include "trolley/actors/bridge/grpc_link_options.h"
#include "trolley/actors/link/stream_link.h"

namespace trolley {

class GrpcLink : public StreamLink {
 public:
  explicit GrpcLink(std::string target, GrpcLinkOptions options);
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BRIDGE_GRPC_LINK_H_
