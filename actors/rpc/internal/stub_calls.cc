// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/internal/stub_calls.h"

#include <google/protobuf/descriptor.h>

#include "absl/strings/str_cat.h"
#include "trolley/actors/rpc/internal/call_context.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

constexpr int kMostCode = 16;  // grpc::StatusCode::UNAUTHENTICATED

absl::Status ToAbsl(const grpc::Status& status) {
  const int code = status.error_code();
  // mutant: P14_AnErrorOfAServerIsNotMadePrintable
  return absl::Status(code >= 0 && code <= kMostCode
                          ? static_cast<absl::StatusCode>(code)
                          : absl::StatusCode::kUnknown,
                      Printable(status.error_message()));
}

}  // namespace

absl::StatusOr<StubMethod> FindStubMethod(const std::string& service,
                                          const std::string& type) {
  const google::protobuf::ServiceDescriptor* found =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
          service);
  if (found == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("this program has no service \"", Printable(service),
                     "\"; link the code that protoc makes of its .proto file"));
  }
  const google::protobuf::MethodDescriptor* method = nullptr;
  for (int i = 0; i < found->method_count(); ++i) {
    if (found->method(i)->input_type()->full_name() != type) continue;
    if (method != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          method->full_name(), " and ", found->method(i)->full_name(),
          " both take ", type,
          ", so the message does not say which one is meant; give each method "
          "a request message of its own"));
    }
    method = found->method(i);
  }
  if (method == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(service, " has no method that takes ", Printable(type)));
  }
  if (method->client_streaming() || method->server_streaming()) {
    return absl::UnimplementedError(absl::StrCat(
        method->full_name(), " streams; a GrpcStub makes unary calls only"));
  }
  return StubMethod{.path = absl::StrCat("/", service, "/", method->name()),
                    .reply = method->output_type()->full_name()};
}

absl::StatusOr<WireMessage> StubCall::Result(const StubMethod& method,
                                             uint32_t most) const {
  if (!status_.ok()) return ToAbsl(status_);
  if (response_.Length() > most) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the answer of ", method.path, " has ", response_.Length(),
                     " bytes, more than GrpcStubOptions::max_message_bytes (",
                     most, ") allows"));
  }
  const absl::StatusOr<grpc::Slice> bytes = OneSlice(response_);
  if (!bytes.ok()) return bytes.status();
  return WireMessage{.type = method.reply, .bytes = std::string(View(*bytes))};
}

absl::StatusOr<StubCall::Ptr> StubCalls::Begin(const StubMethod& method,
                                               const std::string& bytes,
                                               absl::Duration left,
                                               const TraceContext& trace,
                                               int loop, uint32_t most) {
  {
    absl::MutexLock lock(&mutex_);
    // mutant: P6_AStubHasNoLimitOfCalls
    if (counts_.open >= most) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the stub has ", counts_.open,
          " calls without an answer (GrpcStubOptions::max_calls)"));
    }
    ++counts_.open;
    ++counts_.begun;
  }
  auto call = std::make_shared<StubCall>();
  call->context_.set_deadline(GrpcDeadline(left));
  if (trace.valid()) {
    call->context_.AddMetadata("traceparent", trace.ToTraceparent());
  }
  call->request_ = ToByteBuffer(bytes);
  stub_.UnaryCall(
      &call->context_, method.path, {}, &call->request_, &call->response_,
      [calls = shared_from_this(), call, loop](const grpc::Status& status) {
        calls->Finish(call, loop, status);
      });
  return call;
}

void StubCalls::Finish(const StubCall::Ptr& call, int loop,
                       const grpc::Status& status) {
  call->status_ = status;
  absl::MutexLock lock(&mutex_);
  --counts_.open;
  ++(status.ok() ? counts_.answered : counts_.failed);
  // Under the lock, so that the bus is there until the command is sent.
  if (bus_ == nullptr) return;
  bus_->RunOnLoop(loop, [call] {
    call->finished_ = true;
    call->changed_.Notify();
  });
}

void StubCalls::ForgetBus() {
  absl::MutexLock lock(&mutex_);
  bus_ = nullptr;
}

StubCalls::Counts StubCalls::counts() const {
  absl::MutexLock lock(&mutex_);
  return counts_;
}

}  // namespace trolley::internal
