// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/internal/stream_call.h"

#include <algorithm>
#include <utility>

#include "trolley/actors/link/internal/protobuf_log.h"
#include "trolley/actors/rpc/internal/call_context.h"
#include "trolley/actors/rpc/internal/call_error.h"

namespace trolley::internal {
namespace {

CallStream::Limits LimitsOf(const ActorServiceOptions& options) {
  return {.messages = options.stream_messages,
          .bytes = options.stream_bytes,
          .message_bytes = options.max_message_bytes,
          .patience = options.stream_patience};
}

absl::Status Ended() {
  return absl::CancelledError("the call of this stream has ended");
}

}  // namespace

StreamCall::StreamCall(ServedActor::Ptr served, const ServedMethod& method,
                       grpc::CallbackServerContext* context)
    : CallStream(served->bus, LimitsOf(served->options)),
      served_(std::move(served)),
      method_(method),
      context_(context),
      deadline_(served_->bus.Now() +
                std::min(TimeLeft(*context), served_->options.longest_stream)),
      trace_(TraceOf(*context)) {}

StreamReactor* StreamCall::Begin(const ServedActor::Ptr& served,
                                 const ServedMethod& method,
                                 grpc::CallbackServerContext* context) {
  const auto call = Ptr(new StreamCall(served, method, context));
  call->self_ = call;
  call->counted_ = served->EnterStream();
  if (call->counted_ && method.client_streams) {
    call->Ask("");
    return call.get();
  }
  absl::MutexLock lock(&call->mutex_);
  if (call->counted_) {
    call->Pump();
  } else {
    call->End(TooManyStreams(*served));
  }
  return call.get();
}

void StreamCall::Ask(absl::string_view bytes) {
  const grpc::Status asked = TryAsk(bytes);
  absl::MutexLock lock(&mutex_);
  if (!asked.ok()) return End(asked);
  Pump();
}

grpc::Status StreamCall::TryAsk(absl::string_view bytes) {
  if (deadline_ <= served_->bus.Now()) return Late(*served_);
  const absl::StatusOr<WireTarget> target =
      WireTarget::Find(served_->bus, served_->actor);
  if (!target.ok()) return NotSent(target.status(), *served_);
  if (!target->Takes(method_.type)) return WrongActor(method_.type, *served_);
  const ProtobufLogScope log(served_->bus);
  std::function<void()> give_up;
  const Offer offer(self_);
  const absl::Status sent = target->AskThen(
      {method_.type, bytes}, {.deadline = deadline_, .trace = trace_},
      [weak = std::weak_ptr<StreamCall>(self_)](
          absl::StatusOr<WireMessage> reply, NoAnswer why) {
        const Ptr call = weak.lock();
        if (call != nullptr) call->OnReply(std::move(reply), why);
      },
      &give_up);
  if (!sent.ok()) return NotSent(sent, *served_);
  absl::MutexLock lock(&mutex_);
  give_up_ = std::move(give_up);
  if (cancelled_) GiveUp();
  return grpc::Status::OK;
}

void StreamCall::GiveUp() {
  if (give_up_ != nullptr) std::exchange(give_up_, nullptr)();
}

void StreamCall::OnReply(absl::StatusOr<WireMessage> reply, NoAnswer why) {
  absl::MutexLock lock(&mutex_);
  give_up_ = nullptr;
  if (end_.has_value() || cancelled_) return;
  End(Result(std::move(reply), why));
}

grpc::Status StreamCall::Result(absl::StatusOr<WireMessage> reply,
                                NoAnswer why) {
  if (!reply.ok()) return NotAnswered(reply.status(), why, *served_);
  if (reply->type != method_.reply_type) {
    return WrongReply(reply->type, *served_);
  }
  if (method_.server_streams) return grpc::Status::OK;
  if (reply->bytes.size() > limits().message_bytes) {
    return TooLong("reply", reply->bytes.size(), *served_);
  }
  to_client_.Push(std::move(reply->bytes));
  return grpc::Status::OK;
}

void StreamCall::End(grpc::Status status) {
  if (end_.has_value()) return;
  end_ = std::move(status);
  GiveUp();
  Close(Ended());
  Pump();
  if (!finished_) AwaitClient();
}

void StreamCall::AwaitClient() {
  if (stalled_) return context_->TryCancel();
  taken_ = served_->bus.Now();
  is_slow_ = true;
  served_->slow_clients->Add(
      std::shared_ptr<SlowClient>(shared_from_this(), this));
}

void StreamCall::CancelIfIdle(Instant since) {
  absl::MutexLock lock(&mutex_);
  if (!finished_ && taken_ <= since) context_->TryCancel();
}

bool StreamCall::WantsToRead() const {
  if (end_.has_value() || client_ended_) return false;
  if (!method_.client_streams) return !has_request_;
  return HasRoom(from_client_);
}

void StreamCall::Pump() {
  if (finished_) return;
  if (!reading_ && !cancelled_ && WantsToRead()) {
    reading_ = true;
    StartRead(&read_);
  }
  if (writing_) return;
  if (cancelled_) {
    finished_ = true;
    return Finish(grpc::Status::CANCELLED);
  }
  if (!to_client_.empty()) {
    writing_ = true;
    written_ = ToByteBuffer(to_client_.Pop());
    WakeHandler();
    return StartWrite(&written_);
  }
  if (end_.has_value()) {
    finished_ = true;
    Finish(*end_);
  }
}

void StreamCall::OnReadDone(bool ok) {
  if (ok) return Take(read_);
  absl::MutexLock lock(&mutex_);
  reading_ = false;
  client_ended_ = true;
  if (!method_.client_streams && !cancelled_) {
    return End(CallError(control::v1::BAD_PAYLOAD, "the call has no request"));
  }
  WakeHandler();
  Pump();
}

void StreamCall::Take(const grpc::ByteBuffer& message) {
  const absl::StatusOr<grpc::Slice> bytes = OneSlice(message);
  {
    absl::MutexLock lock(&mutex_);
    reading_ = false;
    has_request_ = true;
    if (!bytes.ok()) return End(OfHandler(bytes.status()));
    if (bytes->size() > limits().message_bytes) {
      return End(TooLong("request", bytes->size(), *served_));
    }
    if (method_.client_streams) {
      if (!end_.has_value() && !cancelled_) {
        from_client_.Push(std::string(View(*bytes)));
      }
      WakeHandler();
      return Pump();
    }
  }
  Ask(View(*bytes));
}

void StreamCall::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  if (!ok) to_client_.Clear();  // OnCancel() comes, or has come
  stalled_ = false;
  if (is_slow_) taken_ = served_->bus.Now();
  Pump();
}

void StreamCall::OnCancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  client_ended_ = true;
  from_client_.Clear();
  to_client_.Clear();
  Close(Ended());
  GiveUp();
  Pump();
}

void StreamCall::OnDone() {
  Ptr last;
  absl::MutexLock lock(&mutex_);
  last = std::move(self_);
  if (is_slow_) served_->slow_clients->Remove(this);
  GiveUp();
  if (counted_) served_->LeaveStream();
}

}  // namespace trolley::internal
