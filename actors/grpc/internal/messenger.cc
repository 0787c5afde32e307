// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/messenger.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/actors/grpc/internal/control_error.h"
#include "trolley/actors/grpc/internal/serve.h"
#include "trolley/actors/link/internal/protobuf_log.h"

namespace trolley::internal {
namespace {

constexpr char kTypeUrlPrefix[] = "type.googleapis.com/";

absl::string_view TypeOf(const google::protobuf::Any& payload) {
  const absl::string_view url = payload.type_url();
  const size_t slash = url.rfind('/');
  return slash == url.npos ? url : url.substr(slash + 1);
}

grpc::Status Rejected(const WireTarget& target, absl::string_view type) {
  const std::string accepted = absl::StrJoin(target.accepts(), ", ");
  return ControlError(
      control::v1::MESSAGE_TYPE_REJECTED,
      absl::StrCat("\"", target.name(), "\" does not take ",
                   type.empty() ? "a message without a type" : type, "; ",
                   accepted.empty() ? "it takes nothing from outside"
                                    : absl::StrCat("it takes ", accepted)),
      {{"actor", target.name()},
       {"type", std::string(type)},
       {"accepted", accepted}});
}

// The error of a message that the mailbox did not get.
grpc::Status NotSent(const absl::Status& error, const WireTarget& target,
                     absl::string_view type) {
  const std::string& actor = target.name();
  switch (error.code()) {
    case absl::StatusCode::kOk:
      return grpc::Status::OK;
    case absl::StatusCode::kInvalidArgument:
      return ControlError(control::v1::BAD_PAYLOAD, error.message(),
                          {{"actor", actor}, {"type", std::string(type)}});
    case absl::StatusCode::kResourceExhausted:
      return ControlError(
          control::v1::MAILBOX_FULL,
          absl::StrCat("the mailbox of \"", actor, "\" is full"),
          {{"actor", actor}});
    case absl::StatusCode::kNotFound:
      return ControlError(control::v1::ACTOR_NOT_FOUND, error.message(),
                          {{"actor", actor}});
    default:
      return ControlError(control::v1::DRAINING, error.message(),
                          {{"actor", actor}});
  }
}

grpc::Status TimedOut(const std::string& actor, absl::Duration within) {
  return ControlError(control::v1::ASK_TIMEOUT,
                      absl::StrCat("\"", actor, "\" did not reply within ",
                                   absl::FormatDuration(absl::Trunc(
                                       within, absl::Milliseconds(1))),
                                   "; it may handle the message yet"),
                      {{"actor", actor}});
}

grpc::Status NotAnswered(const absl::Status& error, NoAnswer why,
                         const std::string& actor, absl::Duration within) {
  switch (why) {
    case NoAnswer::kExpired:
      return TimedOut(actor, within);
    case NoAnswer::kGone:
      return ControlError(control::v1::ACTOR_STOPPED_DURING_ASK,
                          error.message(), {{"actor", actor}});
    case NoAnswer::kNone:
      break;
  }
  return HandlerFailed(actor, error);
}

grpc::Status FillIn(WireMessage& reply, const std::string& actor,
                    uint32_t limit, control::v1::Envelope& to) {
  // The bytes of the response without the payload of the reply.
  constexpr size_t kAround = 1024;
  if (reply.bytes.size() + kAround > limit) {
    return ControlError(
        control::v1::PAYLOAD_TOO_LARGE,
        absl::StrCat("the reply of \"", actor, "\" has ", reply.bytes.size(),
                     " bytes, more than ControlOptions::max_message_bytes (",
                     limit, ") allows"),
        {{"actor", actor},
         {"bytes", absl::StrCat(reply.bytes.size())},
         {"limit", absl::StrCat(limit)}});
  }
  if (!reply.type.empty()) {
    to.mutable_payload()->set_type_url(
        absl::StrCat(kTypeUrlPrefix, reply.type));
    to.mutable_payload()->set_value(std::move(reply.bytes));
  }
  return grpc::Status::OK;
}

}  // namespace

template <typename Request>
grpc::Status Messenger::Read(const Request& request, Parcel* parcel) const {
  if (grpc::Status valid = state_->CheckName("actor", request.actor());
      !valid.ok()) {
    return valid;
  }
  const control::v1::Envelope& envelope = request.envelope();
  if (!envelope.traceparent().empty()) {
    absl::StatusOr<TraceContext> trace =
        TraceContext::FromTraceparent(envelope.traceparent());
    if (!trace.ok()) {
      return BadRequest("envelope.traceparent", trace.status().message());
    }
    parcel->options.trace = *trace;
  }
  parcel->target = WireTarget::Find(state_->bus, request.actor());
  if (!parcel->target.ok()) return state_->NoSuchActor(request.actor());
  const WireTarget& target = *parcel->target;
  if (grpc::Status same = state_->CheckUid(request.actor(), request.uid(),
                                           target.address().id());
      !same.ok()) {
    return same;
  }
  const absl::string_view type = TypeOf(envelope.payload());
  if (!target.Takes(type)) return Rejected(target, type);
  parcel->message = {type, envelope.payload().value()};
  return grpc::Status::OK;
}

grpc::ServerUnaryReactor* Messenger::SendMessage(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  return Serve<control::v1::SendMessageRequest>(
      *state_, {context, request, response},
      [](const control::v1::SendMessageRequest&) { return nullptr; },
      [&](const control::v1::SendMessageRequest& sent,
          const OpenCall::Ptr& call) {
        call->Answer<control::v1::SendMessageResponse>(
            [&](control::v1::SendMessageResponse&) {
              ProtobufLogScope log(state_->bus);
              Parcel parcel;
              if (grpc::Status read = Read(sent, &parcel); !read.ok())
                return read;
              return NotSent(
                  parcel.target->Tell(parcel.message, parcel.options),
                  *parcel.target, parcel.message.type);
            });
      });
}

grpc::ServerUnaryReactor* Messenger::AskActor(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* response) {
  const absl::Duration limit = state_->LimitOf(*context);
  return Serve<control::v1::AskActorRequest>(
      *state_, {context, request, response},
      [limit](const control::v1::AskActorRequest& asked) {
        return
            [limit, actor = asked.actor()] { return TimedOut(actor, limit); };
      },
      [&](const control::v1::AskActorRequest& asked,
          const OpenCall::Ptr& call) {
        ProtobufLogScope log(state_->bus);
        Parcel parcel;
        if (grpc::Status read = Read(asked, &parcel); !read.ok()) {
          return call->Fail(read);
        }
        parcel.options.deadline = state_->bus.Now() + limit;
        const WireTarget& target = *parcel.target;
        // The message may live much longer than its call, so it has a weak
        // pointer.
        std::function<void()> give_up;
        const absl::Status sent = target.AskThen(
            parcel.message, parcel.options,
            [weak = std::weak_ptr<OpenCall>(call), limit, actor = target.name(),
             most_bytes = state_->options.max_message_bytes](
                absl::StatusOr<WireMessage> reply, NoAnswer why) {
              const OpenCall::Ptr open = weak.lock();
              if (open == nullptr) return;
              open->Answer<control::v1::AskActorResponse>(
                  [&](control::v1::AskActorResponse& answer) {
                    if (!reply.ok()) {
                      return NotAnswered(reply.status(), why, actor, limit);
                    }
                    return FillIn(*reply, actor, most_bytes,
                                  *answer.mutable_envelope());
                  });
            },
            &give_up);
        if (!sent.ok()) {
          return call->Fail(NotSent(sent, target, parcel.message.type));
        }
        // If the client no longer waits, the ask ends with the call.
        call->WhenDone(std::move(give_up));
      });
}

}  // namespace trolley::internal
