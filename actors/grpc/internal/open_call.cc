// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/open_call.h"

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/slice.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "trolley/actors/grpc/internal/control_error.h"

namespace trolley::internal {
namespace {

grpc::Status Stopping() {
  return ControlError(control::v1::DRAINING,
                      "the control service is stopping; try again when the "
                      "program has started anew",
                      {});
}

}  // namespace

OpenCall::Ptr OpenCall::Begin(const std::shared_ptr<OpenCalls>& calls,
                              grpc::ByteBuffer* response, absl::Duration limit,
                              std::function<grpc::Status()> late) {
  auto call = Ptr(new OpenCall(calls, response, std::move(late)));
  call->self_ = call;
  if (grpc::Status added = calls->Add(*call); !added.ok()) {
    call->Fail(added);
    return call;
  }
  if (call->late_ != nullptr) {
    call->alarm_ =
        calls->alarms_->Set(limit, [weak = std::weak_ptr<OpenCall>(call)] {
          if (const Ptr late = weak.lock()) late->End(late->late_);
        });
  }
  return call;
}

OpenCall::~OpenCall() {
  if (admitted_) calls_->Forget();
}

void OpenCall::End(absl::FunctionRef<grpc::Status()> answer) {
  if (ended_.exchange(true)) return;
  Finish(answer());  // `this` may be destroyed when it returns
}

grpc::Status OpenCall::Write(const google::protobuf::MessageLite& response) {
  const size_t size = response.ByteSizeLong();
  const uint32_t limit = calls_->limits_.most_bytes;
  if (size > limit) {
    return ControlError(
        control::v1::PAYLOAD_TOO_LARGE,
        absl::StrCat("the answer has ", size,
                     " bytes, more than ControlOptions::max_message_bytes (",
                     limit, ") allows"),
        {{"bytes", absl::StrCat(size)}, {"limit", absl::StrCat(limit)}});
  }
  grpc::Slice bytes(size);
  response.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(bytes.begin()));
  *response_ = grpc::ByteBuffer(&bytes, 1);
  return grpc::Status::OK;
}

// The client has gone, so it does not read this status.
void OpenCall::OnCancel() { Fail(grpc::Status::CANCELLED); }

void OpenCall::OnDone() {
  calls_->alarms_->Cancel(alarm_);
  calls_->Remove(*this);
  if (when_done_ != nullptr) std::exchange(when_done_, nullptr)();
  const Ptr last = std::move(self_);
}

grpc::Status OpenCalls::Add(OpenCall& call) {
  MonitorLock lock(&monitor_);
  if (stopping_) return Stopping();
  if (held_ >= limits_.most_calls) {
    return ControlError(
        control::v1::TOO_MANY_CALLS,
        absl::StrCat("the service holds ", held_,
                     " calls, some of which have ended but wait in the queue "
                     "of a loop that is busy; try again when it has caught up"),
        {});
  }
  call.admitted_ = true;
  ++open_;
  ++held_;
  calls_.insert(&call);
  return grpc::Status::OK;
}

void OpenCalls::Remove(OpenCall& call) {
  if (!call.admitted_) return;
  MonitorLock lock(&monitor_);
  calls_.erase(&call);
  if (--open_ == 0) monitor_.Notify();
}

void OpenCalls::Forget() {
  MonitorLock lock(&monitor_);
  --held_;
}

void OpenCalls::EndAll() {
  std::vector<OpenCall::Ptr> calls;
  {
    MonitorLock lock(&monitor_);
    stopping_ = true;
    for (OpenCall* call : calls_) calls.push_back(call->shared_from_this());
    calls_.clear();
  }
  for (const OpenCall::Ptr& call : calls) call->Fail(Stopping());
}

void OpenCalls::AwaitNone(absl::Duration timeout) {
  const Instant until = MonotonicClock().Now() + timeout;
  MonitorLock lock(&monitor_);
  monitor_.WaitUntil(until, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
    return open_ == 0;
  });
}

}  // namespace trolley::internal
