// SPDX-License-Identifier: Apache-2.0
//
// Inspector: the service that reads the state of the bus. The loops make each
// answer together; the last one ends the call. A loop looks at no more than
// messages_per_turn of its actors in a turn. The memory of a call is that of
// its answer.
//
// Ownership: shares ControlState.
// Threads:   thread-safe.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_INSPECTOR_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_INSPECTOR_H_

#include <memory>
#include <utility>

#include "trolley/actors/grpc/internal/control_state.h"
#include "trolley/proto/control.grpc.pb.h"

namespace trolley::internal {

// Each method gets the bytes of its request, not parsed (serve.h).
using RawInspector =
    control::v1::Inspector::WithRawCallbackMethod_GetServerInfo<
        control::v1::Inspector::WithRawCallbackMethod_ListActors<
            control::v1::Inspector::WithRawCallbackMethod_GetActor<
                control::v1::Inspector::WithRawCallbackMethod_ListChildren<
                    control::v1::Inspector::WithRawCallbackMethod_ListLoops<
                        control::v1::Inspector::Service>>>>>;

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
  grpc::ServerUnaryReactor* ListChildren(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListLoops(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;

 private:
  const std::shared_ptr<const ControlState> state_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_INSPECTOR_H_
