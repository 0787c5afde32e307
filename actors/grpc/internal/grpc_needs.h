// SPDX-License-Identifier: Apache-2.0
//
// CheckGrpcNeeds: checks that gRPC can start a server on this machine. When
// gRPC gets no thread or no descriptor at its start, an assertion of gRPC ends
// the process. So the service checks before.
//
// The check is not complete: another thread of the process may take the last
// descriptor between the check and the start. Threads that gRPC wants later,
// for many calls at once, are no problem: it goes on without them.
//
// A function without state; thread-safe.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_GRPC_NEEDS_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_GRPC_NEEDS_H_

#include "absl/status/status.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

// Starts as many threads and opens as many descriptors as gRPC will, and closes
// them again.
//
//   ResourceExhausted   the machine has too few; the text says how many there
//                       were, and which limits to look at
absl::Status CheckGrpcNeeds(Sys& sys);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_GRPC_NEEDS_H_
