// SPDX-License-Identifier: Apache-2.0
//
// ControlError: an error of the control service, with its one ErrorInfo in the
// trailer "grpc-status-details-bin" (proto/control.proto).
//
// Functions without state, thread-safe. The trailer is kept below 6 KiB: long
// texts are cut.

#ifndef TROLLEY_ACTORS_GRPC_CONTROL_ERROR_H_
#define TROLLEY_ACTORS_GRPC_CONTROL_ERROR_H_

#include <grpcpp/support/status.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/proto/control.pb.h"

namespace trolley::control {

using Metadata = std::vector<std::pair<std::string, std::string>>;

// The code is the one that `reason` comes with; HANDLER_FAILED, which comes
// with any, is made by HandlerFailed().
grpc::Status ControlError(v1::ErrorReason reason, absl::string_view message,
                          const Metadata& metadata);

// BAD_REQUEST about one field; "": about the request as a whole.
grpc::Status BadRequest(absl::string_view field, absl::string_view message);

// What the handler of `actor` said.
grpc::Status HandlerFailed(absl::string_view actor, const absl::Status& error);

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_CONTROL_ERROR_H_
