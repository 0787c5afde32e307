// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/grpc_stub.h"

#include <grpcpp/grpcpp.h>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/link/link.h"

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  auto channel =
      grpc::CreateChannel("127.0.0.1:1", grpc::InsecureChannelCredentials());
  return bus.Spawn<trolley::GrpcStub>({}, bus, channel).ok() ? 0 : 1;
}
