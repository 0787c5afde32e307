// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/control_error.h"

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::control {
namespace {

constexpr char kDomain[] = "trolleybus";
constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";

grpc::StatusCode CodeOf(v1::ErrorReason reason) {
  switch (reason) {
    case v1::ACTOR_NOT_FOUND:
      return grpc::StatusCode::NOT_FOUND;
    case v1::ACTOR_GONE:
    case v1::DRAINING:
      return grpc::StatusCode::UNAVAILABLE;
    case v1::MAILBOX_FULL:
    case v1::PAYLOAD_TOO_LARGE:
    case v1::TOO_MANY_CALLS:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case v1::MESSAGE_TYPE_REJECTED:
    case v1::BAD_PAYLOAD:
    case v1::BAD_REQUEST:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case v1::ASK_TIMEOUT:
    case v1::STOP_TIMEOUT:
    case v1::LOOPS_BUSY:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case v1::ACTOR_STOPPED_DURING_ASK:
    case v1::STALE_INCARNATION:
      return grpc::StatusCode::ABORTED;
    default:
      return grpc::StatusCode::UNKNOWN;
  }
}

grpc::Status Make(grpc::StatusCode code, v1::ErrorReason reason,
                  absl::string_view message, const Metadata& metadata) {
  v1::ErrorInfo info;
  info.set_reason(v1::ErrorReason_Name(reason));
  info.set_domain(kDomain);
  for (const auto& [key, value] : metadata) {
    (*info.mutable_metadata())[key] = Printable(value);
  }
  v1::StatusDetails details;
  details.set_code(code);
  details.set_message(Printable(message));
  google::protobuf::Any* any = details.add_details();
  any->set_type_url(kErrorInfoUrl);
  any->set_value(info.SerializeAsString());
  return grpc::Status(code, details.message(), details.SerializeAsString());
}

}  // namespace

grpc::Status ControlError(v1::ErrorReason reason, absl::string_view message,
                          const Metadata& metadata) {
  return Make(CodeOf(reason), reason, message, metadata);
}

grpc::Status BadRequest(absl::string_view field, absl::string_view message) {
  return ControlError(v1::BAD_REQUEST,
                      absl::StrCat(field, field.empty() ? "" : ": ", message),
                      {{"field", std::string(field)}});
}

grpc::Status HandlerFailed(absl::string_view actor, const absl::Status& error) {
  return Make(
      static_cast<grpc::StatusCode>(error.code()), v1::HANDLER_FAILED,
      absl::StrCat("\"", actor, "\" answered with an error: ", error.message()),
      {{"actor", std::string(actor)}});
}

}  // namespace trolley::control
