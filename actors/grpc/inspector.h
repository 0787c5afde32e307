// SPDX-License-Identifier: Apache-2.0
//
// Inspector: the service that looks and changes nothing. Each answer is put
// together by the loops, and the last of them ends the call. No call makes a
// loop look at more than messages_per_turn of its actors in a turn, nor holds
// more than its answer.
//
// Thread-safe.

#ifndef TROLLEY_ACTORS_GRPC_INSPECTOR_H_
#define TROLLEY_ACTORS_GRPC_INSPECTOR_H_

#include <memory>
#include <utility>

#include "trolley/actors/grpc/control_state.h"
#include "trolley/proto/control.grpc.pb.h"

namespace trolley::control {

// Each method takes the bytes of its request as they are.
using RawInspector = v1::Inspector::WithRawCallbackMethod_GetServerInfo<
    v1::Inspector::WithRawCallbackMethod_ListActors<
        v1::Inspector::WithRawCallbackMethod_GetActor<
            v1::Inspector::WithRawCallbackMethod_ListLoops<
                v1::Inspector::Service>>>>;

class Inspector final : public RawInspector {
 public:
  explicit Inspector(std::shared_ptr<const ControlState> state)
      : state_(std::move(state)) {}

  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListActors(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetActor(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListLoops(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;

 private:
  const std::shared_ptr<const ControlState> state_;
};

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_INSPECTOR_H_
