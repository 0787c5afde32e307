// SPDX-License-Identifier: Apache-2.0
//
// CallError: the gRPC status of a call that the handler did not answer, by the
// table of actors/rpc/actor_service.h; and the status of a handler.
//
//   call->Fail(NotAnswered(reply.status(), NoAnswer::kGone, served));
//
// Functions without state; thread-safe.
// Bounds: a text has at most kMaxTextBytes, and the details of an error less
//         than 2 KiB. gRPC's clients refuse more than 8 KiB.

#ifndef TROLLEY_ACTORS_RPC_INTERNAL_CALL_ERROR_H_
#define TROLLEY_ACTORS_RPC_INTERNAL_CALL_ERROR_H_

#include <grpcpp/support/status.h>

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/bus/delivery.h"
#include "trolley/proto/control.pb.h"

namespace trolley::internal {

struct ServedActor;

// The code follows from `reason`, by that table.
grpc::Status CallError(control::v1::ErrorReason reason,
                       absl::string_view message);

// The error of WireTarget::Find or AskThen: the actor does not have the
// message.
grpc::Status NotSent(const absl::Status& error, const ServedActor& served);

// The error of an ask. `error` is not OK.
grpc::Status NotAnswered(const absl::Status& error, NoAnswer why,
                         const ServedActor& served);

// The handler's own: its code and its text.
grpc::Status OfHandler(const absl::Status& error);

// `what`: "request" or "reply".
grpc::Status TooLong(absl::string_view what, size_t bytes,
                     const ServedActor& served);
grpc::Status TooManyCalls(const ServedActor& served);
grpc::Status TooManyStreams(const ServedActor& served);
grpc::Status Late(const ServedActor& served);
// The handler returned a message of another type: the actor of that name is not
// the one that Create() has checked.
grpc::Status WrongReply(absl::string_view type, const ServedActor& served);
grpc::Status WrongActor(absl::string_view type, const ServedActor& served);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_RPC_INTERNAL_CALL_ERROR_H_
