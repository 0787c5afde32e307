// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/internal/call_error.h"

#include "absl/strings/str_cat.h"
#include "trolley/actors/grpc/internal/control_error.h"
#include "trolley/actors/rpc/internal/served_actor.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

grpc::StatusCode CodeOf(control::v1::ErrorReason reason) {
  switch (reason) {
    case control::v1::TOO_MANY_CALLS:
    case control::v1::MAILBOX_FULL:
    case control::v1::PAYLOAD_TOO_LARGE:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case control::v1::BAD_PAYLOAD:
      return grpc::StatusCode::INVALID_ARGUMENT;
    // Not NOT_FOUND: to a client of the service that is a thing that the
    // service keeps, such as an account.
    case control::v1::ACTOR_NOT_FOUND:
    case control::v1::ACTOR_STOPPED_DURING_ASK:
    case control::v1::DRAINING:
      return grpc::StatusCode::UNAVAILABLE;
    case control::v1::ASK_TIMEOUT:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case control::v1::MESSAGE_TYPE_REJECTED:
      return grpc::StatusCode::UNIMPLEMENTED;
    default:
      return grpc::StatusCode::INTERNAL;
  }
}

}  // namespace

grpc::Status CallError(control::v1::ErrorReason reason,
                       absl::string_view message) {
  return ErrorWithReason(CodeOf(reason), reason, message, {});
}

grpc::Status NotSent(const absl::Status& error, const ServedActor& served) {
  switch (error.code()) {
    case absl::StatusCode::kInvalidArgument:
      return CallError(control::v1::BAD_PAYLOAD, error.message());
    case absl::StatusCode::kResourceExhausted:
      return CallError(
          control::v1::MAILBOX_FULL,
          absl::StrCat("the mailbox of \"", served.actor, "\" is full"));
    case absl::StatusCode::kNotFound:
      return CallError(served.bus.draining() ? control::v1::DRAINING
                                             : control::v1::ACTOR_NOT_FOUND,
                       error.message());
    default:
      return CallError(control::v1::DRAINING, error.message());
  }
}

grpc::Status NotAnswered(const absl::Status& error, NoAnswer why,
                         const ServedActor& served) {
  switch (why) {
    case NoAnswer::kExpired:
      return Late(served);
    case NoAnswer::kGone:
      // mutant: P10_AClientIsNotToldThatTheBusEnds
      return CallError(served.bus.draining()
                           ? control::v1::DRAINING
                           : control::v1::ACTOR_STOPPED_DURING_ASK,
                       error.message());
    case NoAnswer::kNone:
      break;
  }
  return OfHandler(error);
}

grpc::Status OfHandler(const absl::Status& error) {
  // mutant: P14_AnErrorOfAHandlerIsNotMadePrintable
  return grpc::Status(static_cast<grpc::StatusCode>(error.code()),
                      Printable(error.message()));
}

grpc::Status TooLong(absl::string_view what, size_t bytes,
                     const ServedActor& served) {
  return CallError(
      control::v1::PAYLOAD_TOO_LARGE,
      absl::StrCat("the ", what, " has ", bytes,
                   " bytes, more than ActorServiceOptions::max_message_bytes (",
                   served.options.max_message_bytes, ") allows"));
}

grpc::Status TooManyCalls(const ServedActor& served) {
  return CallError(
      control::v1::TOO_MANY_CALLS,
      absl::StrCat("\"", served.actor, "\" has ", served.options.max_calls,
                   " calls that are open "
                   "(ActorServiceOptions::max_calls)"));
}

grpc::Status TooManyStreams(const ServedActor& served) {
  return CallError(
      control::v1::TOO_MANY_CALLS,
      absl::StrCat("\"", served.actor, "\" has ", served.options.max_streams,
                   " streams (ActorServiceOptions::max_streams), or ",
                   served.options.max_calls,
                   " calls (max_calls) that are open"));
}

grpc::Status Late(const ServedActor& served) {
  return CallError(control::v1::ASK_TIMEOUT,
                   absl::StrCat("\"", served.actor,
                                "\" did not answer by the deadline of the "
                                "call; it may have begun to handle it"));
}

grpc::Status WrongReply(absl::string_view type, const ServedActor& served) {
  return CallError(control::v1::HANDLER_FAILED,
                   absl::StrCat("\"", served.actor, "\" replied with ",
                                type.empty() ? "no message" : type,
                                ", which is not what the method returns"));
}

grpc::Status WrongActor(absl::string_view type, const ServedActor& served) {
  return CallError(control::v1::MESSAGE_TYPE_REJECTED,
                   absl::StrCat("the actor \"", served.actor,
                                "\" does not take ", type, " any more"));
}

}  // namespace trolley::internal
