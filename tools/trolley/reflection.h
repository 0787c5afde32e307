// SPDX-License-Identifier: Apache-2.0
//
// ReflectionStream: asks a server's reflection, one question at a time.
//
// Threads:   one. Each question waits for its answer, at most until the
//            deadline of the client.

#ifndef TROLLEY_TOOLS_TROLLEY_REFLECTION_H_
#define TROLLEY_TOOLS_TROLLEY_REFLECTION_H_

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <memory>

#include "tools/trolley/call_limit.h"
#include "tools/trolley/client.h"
#include "trolley/tools/trolley/reflection.pb.h"

namespace trolley::tools {

class ReflectionStream {
 public:
  explicit ReflectionStream(const Client& client);
  ~ReflectionStream();

  // False: the stream has ended; status() is the reason.
  bool Ask(const ReflectionRequest& question, ReflectionResponse* answer);
  grpc::Status status();

 private:
  // Waits for the end of the operation that was begun last.
  bool Await();

  grpc::ClientContext context_;
  const CallLimit limit_;
  grpc::CompletionQueue queue_;
  grpc::TemplatedGenericStub<ReflectionRequest, ReflectionResponse> stub_;
  std::unique_ptr<
      grpc::ClientAsyncReaderWriter<ReflectionRequest, ReflectionResponse>>
      stream_;
  bool alive_ = false;
  bool finished_ = false;
  grpc::Status status_;
};

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_REFLECTION_H_
