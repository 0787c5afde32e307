// SPDX-License-Identifier: Apache-2.0
//
// GrpcStubOptions: the limits of a GrpcStub. Each has a unit, a range, a
// default and the reason for the default.
//
//   bus.Spawn<trolley::GrpcStub>(
//       {}, bus, channel, trolley::GrpcStubOptions{.max_calls = 64});
//
// Ownership: a value. The constructor of the actor copies it.
// Threads:   immutable after construction.

#ifndef TROLLEY_ACTORS_RPC_GRPC_STUB_OPTIONS_H_
#define TROLLEY_ACTORS_RPC_GRPC_STUB_OPTIONS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace trolley {

struct GrpcStubOptions {
  // Calls that have no answer yet; a count, 1 to 2^31 - 1. A further message is
  // ResourceExhausted. 512: as LinkOptions::max_pending_asks.
  uint32_t max_calls = 512;

  // The bytes of one message, in either direction; 1 to 2^30. A longer one is
  // ResourceExhausted. 4 MiB: the limit of gRPC's own for what a client
  // receives (grpc::ChannelArguments::SetMaxReceiveMessageSize).
  uint32_t max_message_bytes = 4u << 20;

  // The deadline of a call whose message has none, such as a tell; 1 ms or
  // longer. Infinite: no deadline. 1 min: as ActorServiceOptions has it.
  absl::Duration default_deadline = absl::Minutes(1);
};

// InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateGrpcStubOptions(const GrpcStubOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_RPC_GRPC_STUB_OPTIONS_H_
