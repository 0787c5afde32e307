// SPDX-License-Identifier: Apache-2.0
//
// StubCalls: the calls of one GrpcStub that have no answer yet. StubCall is one
// of them: gRPC fills it in on a thread of its own, and hands it to the loop.
//
//   absl::StatusOr<StubCall::Ptr> call = calls->Begin(method, bytes, ...);
//   while (!(*call)->finished()) co_await (*call)->changed().Wait();
//
// Ownership: shared by the actor and by gRPC. Borrows the bus until
//            ForgetBus().
// Threads:   StubCalls: thread-safe. StubCall: gRPC until it has finished, then
//            the loop; the hand-over is a command for the loop.
// Bounds:    GrpcStubOptions::max_calls.
// Ends:      a call ends when gRPC says so, also after Cancel().

#ifndef TROLLEY_ACTORS_RPC_INTERNAL_STUB_CALLS_H_
#define TROLLEY_ACTORS_RPC_INTERNAL_STUB_CALLS_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/rpc/grpc_stub_options.h"
#include "trolley/actors/wire_methods.h"
#include "trolley/bus/trace_context.h"

namespace trolley::internal {

// A method that a message calls.
struct StubMethod {
  std::string path;   // "/bank.v1.Bank/GetBalance"
  std::string reply;  // the full name of its type
};

// Of the service `service` of this program, the method that takes `type`.
// Errors: the table of actors/rpc/grpc_stub.h.
absl::StatusOr<StubMethod> FindStubMethod(const std::string& service,
                                          const std::string& type);

class StubCall {
 public:
  using Ptr = std::shared_ptr<StubCall>;

  bool finished() const { return finished_; }
  AsyncCondition& changed() { return changed_; }
  // After it has finished. `most` bytes.
  absl::StatusOr<WireMessage> Result(const StubMethod& method,
                                     uint32_t most) const;
  // Thread-safe. The server is told; nothing, if it has finished.
  void Cancel() { context_.TryCancel(); }

 private:
  friend class StubCalls;

  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::Status status_;
  bool finished_ = false;
  AsyncCondition changed_;
};

class StubCalls : public std::enable_shared_from_this<StubCalls> {
 public:
  struct Counts {
    uint64_t begun = 0;
    uint64_t failed = 0;
    uint64_t answered = 0;
    uint32_t open = 0;
  };

  StubCalls(const Bus& bus, std::shared_ptr<grpc::Channel> channel)
      : bus_(&bus), stub_(std::move(channel)) {}

  // On the loop `loop`. ResourceExhausted: `most` calls are open.
  absl::StatusOr<StubCall::Ptr> Begin(const StubMethod& method,
                                      const std::string& bytes,
                                      absl::Duration left,
                                      const TraceContext& trace, int loop,
                                      uint32_t most);
  // No call comes to a loop any more.
  void ForgetBus();
  Counts counts() const;

 private:
  // On a thread of gRPC.
  void Finish(const StubCall::Ptr& call, int loop, const grpc::Status& status);

  mutable absl::Mutex mutex_;
  const Bus* bus_ ABSL_GUARDED_BY(mutex_);
  Counts counts_ ABSL_GUARDED_BY(mutex_);
  grpc::GenericStub stub_;  // thread-safe
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_RPC_INTERNAL_STUB_CALLS_H_
