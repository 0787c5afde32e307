// SPDX-License-Identifier: Apache-2.0
//
// GrpcDialer: makes a channel and a call of Bridge.Link for each attempt
// (actors/bridge/grpc_link.h has the errors).
//
// Ownership: the link owns it. A channel goes with its call.
// Threads:   loop thread only.
// Bounds:    GrpcLinkOptions::connect_timeout. gRPC takes no message above a
//            piece from the server.
// Ends:      with the link; an attempt that waits is cancelled.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_DIALER_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_DIALER_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/bridge/grpc_link_options.h"
#include "trolley/actors/context.h"
#include "trolley/actors/link/dialer.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/task.h"

namespace trolley::internal {

class GrpcDialer final : public Dialer {
 public:
  GrpcDialer(std::string target, GrpcLinkOptions options);

  const std::string& endpoint() const override { return target_; }
  absl::Status Check() override;
  Task<absl::StatusOr<LinkSocket>> Dial(ActorContext context) override;

 private:
  std::shared_ptr<grpc::Channel> NewChannel() const;
  // With the name of the server.
  absl::Status Failed(const absl::Status& why) const;

  const std::string target_;
  const GrpcLinkOptions options_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_DIALER_H_
