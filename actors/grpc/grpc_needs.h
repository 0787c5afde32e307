// SPDX-License-Identifier: Apache-2.0
//
// What gRPC needs of the machine to start a server. It ends the process when it
// gets less (an assertion of its own, in threads and pollsets), so the service
// looks beforehand whether that much is there.
//
// This is all that can be done from outside: what another thread of the process
// takes between the look and the start may be what gRPC then lacks, and a
// thread that gRPC wants later, for a burst of calls, it goes without.
//
// A function without state; thread-safe.

#ifndef TROLLEY_ACTORS_GRPC_GRPC_NEEDS_H_
#define TROLLEY_ACTORS_GRPC_GRPC_NEEDS_H_

#include "absl/status/status.h"
#include "trolley/poller/sys.h"

namespace trolley::control {

// Starts that many threads and opens that many descriptors, and ends them.
// ResourceExhausted: the machine did not give them; the text says which, how
// many there were, and the limits to look at.
absl::Status CheckGrpcNeeds(Sys& sys);

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_GRPC_NEEDS_H_
