// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/open_call.h"

#include <vector>

#include "trolley/actors/grpc/control_error.h"

namespace trolley::control {
namespace {

grpc::Status Stopping() {
  return ControlError(v1::DRAINING,
                      "the control service is stopping; try again when the "
                      "program has started anew",
                      {});
}

}  // namespace

OpenCall::Ptr OpenCall::Begin(const std::shared_ptr<OpenCalls>& calls,
                              absl::Duration limit,
                              std::function<grpc::Status()> late) {
  auto call = Ptr(new OpenCall(calls, std::move(late)));
  call->self_ = call;
  if (!calls->Add(*call)) {
    call->End(Stopping());
    return call;
  }
  if (limit != absl::InfiniteDuration()) {
    call->alarm_ =
        calls->alarms_->Set(limit, [weak = std::weak_ptr<OpenCall>(call)] {
          if (const Ptr late = weak.lock()) late->End(late->late_);
        });
  }
  return call;
}

void OpenCall::End(absl::FunctionRef<grpc::Status()> answer) {
  if (ended_.exchange(true)) return;
  Finish(answer());  // this may be gone when it returns
}

void OpenCall::OnDone() {
  calls_->alarms_->Cancel(alarm_);
  calls_->Remove(*this);
  const Ptr last = std::move(self_);
}

bool OpenCalls::Add(OpenCall& call) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return false;
  calls_.insert(&call);
  return true;
}

void OpenCalls::Remove(OpenCall& call) {
  absl::MutexLock lock(&mutex_);
  calls_.erase(&call);
}

void OpenCalls::EndAll() {
  std::vector<OpenCall::Ptr> calls;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (OpenCall* call : calls_) calls.push_back(call->shared_from_this());
    calls_.clear();
  }
  for (const OpenCall::Ptr& call : calls) call->End(Stopping());
}

}  // namespace trolley::control
