// SPDX-License-Identifier: Apache-2.0
//
// What a call says of itself beside its message: its deadline, its trace; and
// bytes as gRPC has them.
//
// Functions without state; thread-safe.

#ifndef TROLLEY_ACTORS_RPC_INTERNAL_CALL_CONTEXT_H_
#define TROLLEY_ACTORS_RPC_INTERNAL_CALL_CONTEXT_H_

#include <grpc/support/time.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/bus/trace_context.h"

namespace trolley::internal {

// The time that the client still waits; zero if it has passed. Infinite: the
// call has no deadline.
absl::Duration TimeLeft(const grpc::ServerContextBase& context);

// `left` from now, on the monotonic clock. Infinite: never.
gpr_timespec GrpcDeadline(absl::Duration left);

// Of the header "traceparent". Not valid(): it has none, or one that is no
// traceparent. W3C's rule is to go on without one.
TraceContext TraceOf(const grpc::ServerContextBase& context);

// All bytes in one slice. Internal: they cannot be decompressed.
absl::StatusOr<grpc::Slice> OneSlice(const grpc::ByteBuffer& bytes);
inline absl::string_view View(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}
grpc::ByteBuffer ToByteBuffer(absl::string_view bytes);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_RPC_INTERNAL_CALL_CONTEXT_H_
