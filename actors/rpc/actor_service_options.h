// SPDX-License-Identifier: Apache-2.0
//
// ActorServiceOptions: the limits of an ActorService. Each has a unit, a range,
// a default and the reason for the default.
//
//   trolley::ActorServiceOptions options;
//   options.max_calls = 200;
//   auto bank = trolley::ActorService::Create(bus, "bank.v1.Bank", "bank",
//                                             options);
//
// Ownership: a value. ActorService::Create copies it.
// Threads:   immutable after construction.

#ifndef TROLLEY_ACTORS_RPC_ACTOR_SERVICE_OPTIONS_H_
#define TROLLEY_ACTORS_RPC_ACTOR_SERVICE_OPTIONS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace trolley {

struct ActorServiceOptions {
  // Calls of this service that are open at one time, streams included; a count,
  // 1 to 2^31 - 1. A further call is RESOURCE_EXHAUSTED. 4096: four times a
  // mailbox of the usual size.
  uint32_t max_calls = 4096;

  // Of these, streams; a count, 1 to 2^31 - 1. 256: a quarter of the usual
  // mailbox. The handler of a stream that is open holds a credit, so unary
  // calls find the rest, however many streams a client opens.
  uint32_t max_streams = 256;

  // The bytes of one message, in either direction; 1 to 2^30. A longer one is
  // RESOURCE_EXHAUSTED. 4 MiB: the limit of gRPC's own for what a server
  // receives. To receive more, raise that limit too
  // (grpc::ServerBuilder::SetMaxReceiveMessageSize).
  uint32_t max_message_bytes = 4u << 20;

  // The durations below are 1 ms or longer. Infinite: no limit.
  //
  // The deadline of a unary call without one, and the longest for all unary
  // calls. 1 min and 10 min: a call holds a credit of the mailbox that long.
  absl::Duration default_deadline = absl::Minutes(1);
  absl::Duration longest_deadline = absl::Minutes(10);

  // The longest that a stream is open. Infinite: some streams are
  // subscriptions.
  absl::Duration longest_stream = absl::InfiniteDuration();

  // What waits in one direction of one stream; gRPC has one message more. When
  // one of these is reached, Write() of the handler waits, and the service
  // reads no more from the client. stream_messages: a count, 1 to 2^20; 16
  // hides the way between the threads. stream_bytes: 1 to 2^30; one message may
  // exceed it; 256 KiB: four windows of HTTP/2.
  uint32_t stream_messages = 16;
  uint32_t stream_bytes = 256u << 10;

  // How long a stream waits for a client that reads nothing. Then Write() is
  // DeadlineExceeded, and the call ends. 1 min: longer than any pause of a
  // client that works.
  absl::Duration stream_patience = absl::Minutes(1);
};

// InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateActorServiceOptions(const ActorServiceOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_RPC_ACTOR_SERVICE_OPTIONS_H_
