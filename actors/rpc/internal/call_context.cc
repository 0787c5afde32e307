// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/internal/call_context.h"

#include <algorithm>

namespace trolley::internal {
namespace {

constexpr char kTraceHeader[] = "traceparent";
// Longer than any deadline that a gpr_timespec of the monotonic clock has to
// hold; about 292 years.
constexpr absl::Duration kLongest = absl::Seconds(int64_t{1} << 33);

}  // namespace

absl::Duration TimeLeft(const grpc::ServerContextBase& context) {
  const gpr_timespec deadline = context.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
    return absl::InfiniteDuration();
  }
  // With the monotonic clock and the type of gRPC: a deadline in some hundred
  // years does not fit into a std::chrono time point.
  const gpr_timespec left =
      gpr_time_sub(gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC),
                   gpr_now(GPR_CLOCK_MONOTONIC));
  return std::max(absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec),
                  absl::ZeroDuration());
}

gpr_timespec GrpcDeadline(absl::Duration left) {
  if (left >= kLongest) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  left = std::max(left, absl::ZeroDuration());
  const int64_t seconds = absl::ToInt64Seconds(left);
  const gpr_timespec rest =
      gpr_time_add(gpr_time_from_seconds(seconds, GPR_TIMESPAN),
                   gpr_time_from_nanos(
                       absl::ToInt64Nanoseconds(left - absl::Seconds(seconds)),
                       GPR_TIMESPAN));
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), rest);
}

TraceContext TraceOf(const grpc::ServerContextBase& context) {
  const auto& headers = context.client_metadata();
  const auto found = headers.find(kTraceHeader);
  if (found == headers.end()) return {};
  const absl::StatusOr<TraceContext> trace = TraceContext::FromTraceparent(
      absl::string_view(found->second.data(), found->second.size()));
  return trace.ok() ? *trace : TraceContext();
}

absl::StatusOr<grpc::Slice> OneSlice(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  if (bytes.TrySingleSlice(&slice).ok()) return slice;
  if (bytes.DumpToSingleSlice(&slice).ok()) return slice;
  return absl::InternalError("the message cannot be decompressed");
}

grpc::ByteBuffer ToByteBuffer(absl::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace trolley::internal
