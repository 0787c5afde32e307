// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/grpc_stub_options.h"

#include "trolley/actors/rpc/internal/check_field.h"

namespace trolley {

absl::Status ValidateGrpcStubOptions(const GrpcStubOptions& options) {
  const internal::CheckField check("GrpcStubOptions::");
  const absl::Status checks[] = {
      check.Number("max_calls", options.max_calls, (1u << 31) - 1),
      check.Number("max_message_bytes", options.max_message_bytes, 1u << 30),
      check.Time("default_deadline", options.default_deadline),
  };
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace trolley
