// SPDX-License-Identifier: Apache-2.0
//
// ServedMethod: one method of a gRPC service, and the handler that serves it.
//
//   absl::StatusOr<std::vector<ServedMethod>> methods =
//       MethodsOf(*descriptor, *WireTarget::Find(bus, "bank"));
//
// Values; any thread.

#ifndef TROLLEY_ACTORS_RPC_INTERNAL_SERVED_METHOD_H_
#define TROLLEY_ACTORS_RPC_INTERNAL_SERVED_METHOD_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trolley/actors/wire.h"

namespace trolley::internal {

struct ServedMethod {
  bool streams() const { return client_streams || server_streams; }

  std::string path;        // "/bank.v1.Bank/GetBalance"
  std::string type;        // of the message to the actor, as Receives has it
  std::string reply_type;  // of the message that the handler returns; may be ""
  bool client_streams = false;
  bool server_streams = false;
};

// InvalidArgument: see ActorService::Create. The text names each method that
// cannot be served.
absl::StatusOr<std::vector<ServedMethod>> MethodsOf(
    const google::protobuf::ServiceDescriptor& service,
    const WireTarget& actor);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_RPC_INTERNAL_SERVED_METHOD_H_
