// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/open_call.h"

#include <grpc/support/time.h>

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

gpr_timespec AlarmTime(absl::Duration after) {
  return gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_nanos(absl::ToInt64Nanoseconds(after), GPR_TIMESPAN));
}

OpenCall::Ptr OpenCall::Begin(const std::shared_ptr<OpenCalls>& calls,
                              absl::Duration limit,
                              std::function<grpc::Status()> late) {
  const Time deadline =
      limit == absl::InfiniteDuration()
          ? Time::max()
          : std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(limit);
  auto call = Ptr(new OpenCall(calls, deadline, std::move(late)));
  call->self_ = call;
  if (!calls->Add(*call)) call->End(Stopping());
  return call;
}

void OpenCall::End(absl::FunctionRef<grpc::Status()> answer) {
  if (ended_.exchange(true)) return;
  Finish(answer());  // this may be gone when it returns
}

void OpenCall::OnDone() {
  calls_->Remove(*this);
  const Ptr last = std::move(self_);
}

bool OpenCalls::Add(OpenCall& call) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return false;
  calls_.insert({call.deadline_, &call});
  if (alarm_ == nullptr || call.deadline_ < alarm_at_) {
    SetAlarm(std::chrono::steady_clock::now());
  }
  return true;
}

void OpenCalls::Remove(OpenCall& call) {
  absl::MutexLock lock(&mutex_);
  calls_.erase({call.deadline_, &call});
}

void OpenCalls::SetAlarm(Time now) {
  alarm_.reset();
  if (calls_.empty() || calls_.begin()->first == Time::max()) return;
  alarm_at_ = calls_.begin()->first;
  alarm_ = std::make_unique<grpc::Alarm>();
  alarm_->Set(AlarmTime(absl::FromChrono(alarm_at_ - now)),
              [weak = weak_from_this()](bool fired) {
                if (!fired) return;
                if (auto self = weak.lock()) self->EndLate();
              });
}

void OpenCalls::EndLate() {
  std::vector<OpenCall::Ptr> late;
  {
    absl::MutexLock lock(&mutex_);
    const Time now = std::chrono::steady_clock::now();
    while (!calls_.empty() && calls_.begin()->first <= now) {
      late.push_back(calls_.begin()->second->shared_from_this());
      calls_.erase(calls_.begin());
    }
    SetAlarm(now);
  }
  for (const OpenCall::Ptr& call : late) call->End(call->late_);
}

void OpenCalls::EndAll() {
  std::vector<OpenCall::Ptr> calls;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (const auto& [deadline, call] : calls_) {
      calls.push_back(call->shared_from_this());
    }
    calls_.clear();
    alarm_.reset();
  }
  for (const OpenCall::Ptr& call : calls) call->End(Stopping());
}

}  // namespace trolley::control
