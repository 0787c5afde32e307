// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/internal/unary_call.h"

#include <algorithm>

#include "trolley/actors/link/internal/protobuf_log.h"
#include "trolley/actors/rpc/internal/call_context.h"
#include "trolley/actors/rpc/internal/call_error.h"

namespace trolley::internal {

grpc::ServerUnaryReactor* UnaryCall::Begin(
    const ServedActor::Ptr& served, const ServedMethod& method,
    const grpc::CallbackServerContext& context, const grpc::ByteBuffer& request,
    grpc::ByteBuffer* response) {
  const auto call = Ptr(new UnaryCall(served, method, response));
  call->self_ = call;
  call->counted_ = served->calls.Enter();
  const grpc::Status asked = call->counted_ ? call->Ask(context, request, call)
                                            : TooManyCalls(*served);
  if (!asked.ok() && call->MayEnd()) call->Finish(asked);
  return call.get();
}

grpc::Status UnaryCall::Ask(const grpc::CallbackServerContext& context,
                            const grpc::ByteBuffer& request, const Ptr& self) {
  const ActorServiceOptions& options = served_->options;
  const absl::Duration asked_for = TimeLeft(context);
  if (asked_for <= absl::ZeroDuration()) return Late(*served_);
  // mutant: P17_ACallWithoutADeadlineHasNone
  const absl::Duration left = asked_for == absl::InfiniteDuration()
                                  ? options.default_deadline
                                  : asked_for;
  const absl::StatusOr<grpc::Slice> bytes = OneSlice(request);
  if (!bytes.ok()) return OfHandler(bytes.status());
  // mutant: P14_ARequestHasNoLimit
  if (bytes->size() > options.max_message_bytes) {
    return TooLong("request", bytes->size(), *served_);
  }
  const absl::StatusOr<WireTarget> target =
      WireTarget::Find(served_->bus, served_->actor);
  if (!target.ok()) return NotSent(target.status(), *served_);
  if (!target->Takes(method_.type)) return WrongActor(method_.type, *served_);
  const ProtobufLogScope log(served_->bus);
  const TellOptions sending = {
      .deadline = served_->bus.Now() + std::min(left, options.longest_deadline),
      .trace = TraceOf(context)};
  const absl::Status sent = target->AskThen(
      {method_.type, View(*bytes)}, sending,
      // The message may live longer than its call.
      [weak = std::weak_ptr<UnaryCall>(self)](absl::StatusOr<WireMessage> reply,
                                              NoAnswer why) {
        const Ptr call = weak.lock();
        if (call == nullptr || !call->MayEnd()) return;
        call->Finish(call->Answer(std::move(reply), why));
      },
      &give_up_);
  return sent.ok() ? grpc::Status::OK : NotSent(sent, *served_);
}

grpc::Status UnaryCall::Answer(absl::StatusOr<WireMessage> reply,
                               NoAnswer why) {
  if (!reply.ok()) return NotAnswered(reply.status(), why, *served_);
  if (reply->type != method_.reply_type) {
    return WrongReply(reply->type, *served_);
  }
  if (reply->bytes.size() > served_->options.max_message_bytes) {
    return TooLong("reply", reply->bytes.size(), *served_);
  }
  *response_ = ToByteBuffer(reply->bytes);
  return grpc::Status::OK;
}

// The client has gone, so it does not read this status.
void UnaryCall::OnCancel() {
  if (MayEnd()) Finish(grpc::Status::CANCELLED);
}

void UnaryCall::OnDone() {
  // An ask that no client waits for gives its credit back.
  if (give_up_ != nullptr) std::exchange(give_up_, nullptr)();
  if (counted_) served_->calls.Leave();
  const Ptr last = std::move(self_);
}

}  // namespace trolley::internal
