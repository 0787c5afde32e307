// SPDX-License-Identifier: Apache-2.0
//
// GrpcLinkOptions and BridgeOptions: the options of a link over gRPC, of the
// side that dials and of the side that serves. They have the limits that all
// links and listeners have (actors/link/link_options.h), and these:
//
//   trolley::GrpcLinkOptions options;
//   options.credentials = grpc::SslCredentials({.pem_root_certs = roots});
//   options.connect_timeout = absl::Seconds(2);
//
// Ownership: values. The constructor of an actor copies them.
// Threads:   immutable after construction.
// Errors:    a link logs the error of its options and ends.
//            BridgeService::Create() returns that of its options.

#ifndef TROLLEY_ACTORS_BRIDGE_GRPC_LINK_OPTIONS_H_
#define TROLLEY_ACTORS_BRIDGE_GRPC_LINK_OPTIONS_H_

#include <grpcpp/security/credentials.h>

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/link/link_options.h"

namespace trolley {

struct GrpcLinkOptions : LinkOptions {
  // How the link knows the server, and the server knows the link. Not null.
  // There is no default: grpc::InsecureChannelCredentials() hides nothing and
  // knows no party.
  std::shared_ptr<grpc::ChannelCredentials> credentials = {};

  // How long one attempt may take: the lookup of the name, the connection, the
  // handshake of the credentials, and the first bytes of the server. Above 0.
  // 5 s: one lost question to a name server, which is asked again.
  absl::Duration connect_timeout = absl::Seconds(5);
};

// As ValidateLinkOptions, and the same for what is added here.
absl::Status ValidateGrpcLinkOptions(const GrpcLinkOptions& options);

struct BridgeOptions : ListenerOptions {
  // For each of its links.
  LinkOptions link = {};

  // Publications that a subscription of a client keeps while the client has
  // granted no credit, or is slow; a count, 1 to 65536. Further ones are
  // counted. 64: a burst between two grants. They share the values with all
  // other subscribers.
  uint32_t kept_events = 64;

  // How long a subscription waits for its client when its call was lost. Above
  // 0; infinite: as long as the bridge. 30 s: longer than a client takes to
  // connect again.
  absl::Duration resume_within = absl::Seconds(30);
};

// As ValidateListenerOptions, and the same for what is added here.
absl::Status ValidateBridgeOptions(const BridgeOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BRIDGE_GRPC_LINK_OPTIONS_H_
