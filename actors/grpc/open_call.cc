// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/open_call.h"

#include <grpc/support/time.h>

#include <utility>

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

class OpenCall::Reactor final : public grpc::ServerUnaryReactor {
 public:
  Reactor(OpenCall::Ptr call, std::shared_ptr<OpenCalls> calls)
      : call_(std::move(call)), calls_(std::move(calls)) {}

  void OnCancel() override { call_->End(grpc::Status::CANCELLED); }
  void OnDone() override {
    calls_->Remove(call_);
    delete this;
  }

 private:
  const OpenCall::Ptr call_;
  const std::shared_ptr<OpenCalls> calls_;
};

gpr_timespec AlarmTime(absl::Duration after) {
  return gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_nanos(absl::ToInt64Nanoseconds(after), GPR_TIMESPAN));
}

OpenCall::Ptr OpenCall::Begin(const std::shared_ptr<OpenCalls>& calls,
                              absl::Duration limit,
                              std::function<grpc::Status()> late) {
  auto call = Ptr(new OpenCall());
  call->reactor_ = new Reactor(call, calls);
  // Before anyone else knows the call, so that the alarm is never set and
  // cancelled at once.
  if (limit != absl::InfiniteDuration()) {
    call->alarm_.Set(AlarmTime(limit), [weak = call->weak_from_this(),
                                        late = std::move(late)](bool fired) {
      if (!fired) return;
      if (Ptr call = weak.lock()) call->End(late());
    });
  }
  if (!calls->Add(call)) call->End(Stopping());
  return call;
}

void OpenCall::End(absl::FunctionRef<grpc::Status()> answer) {
  if (ended_.exchange(true)) return;
  alarm_.Cancel();
  grpc::Status status = answer();
  reactor_->Finish(std::move(status));  // it may be gone when this returns
}

bool OpenCalls::Add(const OpenCall::Ptr& call) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return false;
  calls_.insert(call);
  return true;
}

void OpenCalls::Remove(const OpenCall::Ptr& call) {
  absl::MutexLock lock(&mutex_);
  calls_.erase(call);
}

void OpenCalls::EndAll() {
  absl::flat_hash_set<OpenCall::Ptr> calls;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    calls.swap(calls_);
  }
  for (const OpenCall::Ptr& call : calls) call->End(Stopping());
}

}  // namespace trolley::control
