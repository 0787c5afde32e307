// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/control_error.h"

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

constexpr char kDomain[] = "trolleybus";
constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";

grpc::StatusCode CodeOf(control::v1::ErrorReason reason) {
  switch (reason) {
    case control::v1::ACTOR_NOT_FOUND:
      return grpc::StatusCode::NOT_FOUND;
    case control::v1::DRAINING:
      return grpc::StatusCode::UNAVAILABLE;
    case control::v1::MAILBOX_FULL:
    case control::v1::PAYLOAD_TOO_LARGE:
    case control::v1::TOO_MANY_CALLS:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case control::v1::MESSAGE_TYPE_REJECTED:
    case control::v1::BAD_PAYLOAD:
    case control::v1::BAD_REQUEST:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case control::v1::ASK_TIMEOUT:
    case control::v1::STOP_TIMEOUT:
    case control::v1::LOOPS_BUSY:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case control::v1::NOT_A_SUPERVISOR:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case control::v1::ACTOR_STOPPED_DURING_ASK:
    case control::v1::STALE_INCARNATION:
      return grpc::StatusCode::ABORTED;
    default:
      return grpc::StatusCode::UNKNOWN;
  }
}

}  // namespace

grpc::Status ErrorWithReason(grpc::StatusCode code,
                             control::v1::ErrorReason reason,
                             absl::string_view message,
                             const Metadata& metadata) {
  control::v1::ErrorInfo info;
  info.set_reason(control::v1::ErrorReason_Name(reason));
  info.set_domain(kDomain);
  for (const auto& [key, value] : metadata) {
    (*info.mutable_metadata())[key] = Printable(value);
  }
  control::v1::StatusDetails details;
  details.set_code(code);
  details.set_message(Printable(message));
  google::protobuf::Any* any = details.add_details();
  any->set_type_url(kErrorInfoUrl);
  any->set_value(info.SerializeAsString());
  return grpc::Status(code, details.message(), details.SerializeAsString());
}

grpc::Status ControlError(control::v1::ErrorReason reason,
                          absl::string_view message, const Metadata& metadata) {
  return ErrorWithReason(CodeOf(reason), reason, message, metadata);
}

grpc::Status BadRequest(absl::string_view field, absl::string_view message) {
  return ControlError(control::v1::BAD_REQUEST,
                      absl::StrCat(field, field.empty() ? "" : ": ", message),
                      {{"field", std::string(field)}});
}

grpc::Status LoopsAreBusy() {
  return ControlError(
      control::v1::LOOPS_BUSY,
      "a loop did not answer in time: a handler keeps it. A stack trace of "
      "the process shows which (gdb -p PID)",
      {});
}

grpc::Status HandlerFailed(absl::string_view actor, const absl::Status& error) {
  return ErrorWithReason(
      static_cast<grpc::StatusCode>(error.code()), control::v1::HANDLER_FAILED,
      absl::StrCat("\"", actor, "\" answered with an error: ", error.message()),
      {{"actor", std::string(actor)}});
}

}  // namespace trolley::internal
