// SPDX-License-Identifier: Apache-2.0
//
// ControlError: makes the errors of the control service. Each has one ErrorInfo
// in the trailer "grpc-status-details-bin" (proto/control.proto).
//
//   call->Fail(BadRequest("name", "it is empty"));
//
// Functions without state; thread-safe.
// Bounds: a trailer is shorter than 6 KiB; long texts are cut.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_CONTROL_ERROR_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_CONTROL_ERROR_H_

#include <grpcpp/support/status.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/proto/control.pb.h"

namespace trolley::internal {

using Metadata = std::vector<std::pair<std::string, std::string>>;

// The code follows from `reason`. For HANDLER_FAILED, which has no code of its
// own, use HandlerFailed().
grpc::Status ControlError(control::v1::ErrorReason reason,
                          absl::string_view message, const Metadata& metadata);

// The same with a code of the caller's choice.
grpc::Status ErrorWithReason(grpc::StatusCode code,
                             control::v1::ErrorReason reason,
                             absl::string_view message,
                             const Metadata& metadata);

// BAD_REQUEST because of one field. "": because of the whole request.
grpc::Status BadRequest(absl::string_view field, absl::string_view message);

// LOOPS_BUSY.
grpc::Status LoopsAreBusy();

// HANDLER_FAILED: the handler of `actor` returned `error`.
grpc::Status HandlerFailed(absl::string_view actor, const absl::Status& error);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_CONTROL_ERROR_H_
