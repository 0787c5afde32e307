// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/internal/grpc_process.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include "absl/base/const_init.h"
#include "absl/synchronization/mutex.h"
#include "trolley/actors/grpc/internal/grpc_needs.h"

namespace trolley::internal {
namespace {

// A call that is never started.
class NoCall final : private grpc::ClientUnaryReactor {
 public:
  NoCall() {
    stub_.PrepareUnaryCall(&context_, "/none/None", {}, &bytes_, &bytes_, this);
  }

 private:
  grpc::GenericStub stub_{grpc::CreateChannel("", nullptr)};
  grpc::ClientContext context_;
  grpc::ByteBuffer bytes_;
};

absl::Mutex mutex(absl::kConstInit);
bool prepared ABSL_GUARDED_BY(mutex) = false;

}  // namespace

Alarms& Goodbyes() {
  static Alarms& alarms = *new Alarms();
  return alarms;
}

absl::Status PrepareGrpc(Sys& sys) {
  absl::MutexLock lock(&mutex);
  if (prepared) return absl::OkStatus();
  absl::Status ready = CheckGrpcNeeds(sys);
  if (ready.ok()) ready = Goodbyes().Start();
  if (!ready.ok()) return ready;
  static NoCall& keeps_threads = *new NoCall();
  static_cast<void>(keeps_threads);
  prepared = true;
  return absl::OkStatus();
}

}  // namespace trolley::internal
