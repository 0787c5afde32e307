// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/grpc_link.h"

#include <grpcpp/security/credentials.h>

#include "trolley/actors/bridge/bridge_service.h"
#include "trolley/actors/bus.h"

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  const auto bridge = trolley::BridgeService::Create(bus, {}, {});
  if (!bridge.ok()) return 1;
  trolley::GrpcLinkOptions options;
  options.credentials = grpc::InsecureChannelCredentials();
  const auto link =
      bus.Spawn<trolley::GrpcLink>({}, "unix:/nowhere/bridge.sock", options);
  return link.ok() ? 0 : 1;
}
