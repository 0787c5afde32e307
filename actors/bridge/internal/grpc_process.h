// SPDX-License-Identifier: Apache-2.0
//
// What all calls of the bridge share in this process: the threads of gRPC's
// callbacks, and one thread for the deadlines of goodbyes.
//
//   if (absl::Status ready = PrepareGrpc(sys); !ready.ok()) return ready;
//   Goodbyes().Set(absl::Seconds(5), [] { ... });
//
// With its last channel gRPC joins the threads of its callbacks, and it may be
// one of these threads that drops the last channel: it would wait for itself.
// So one channel stays, which leads nowhere.
//
// Ownership: the process; never destroyed, because threads of gRPC may use it
//            while the process ends.
// Threads:   thread-safe. PrepareGrpc() starts threads, once.
// Bounds:    one thread; one alarm for each call that says goodbye.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_PROCESS_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_PROCESS_H_

#include "absl/status/status.h"
#include "trolley/actors/grpc/internal/alarms.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

// Call it before the first call is made or served.
//   ResourceExhausted   the machine has too few threads or descriptors for gRPC
//                       (actors/grpc/internal/grpc_needs.h); the text says
//                       which limit to look at. A later call looks again
absl::Status PrepareGrpc(Sys& sys);

// After a PrepareGrpc() that was OK.
Alarms& Goodbyes();

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_GRPC_PROCESS_H_
