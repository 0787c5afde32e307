// SPDX-License-Identifier: Apache-2.0
//
// Controller: the service that stops actors. A call ends when its actor has
// ended, or at its deadline; after the deadline the actor still ends.
//
// Ownership: shares its list of waiting calls with the callbacks that tell the
//            ends of actors.
// Threads:   thread-safe.
// Bounds:    one entry for each actor that is being stopped, and one for each
//            open call.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_CONTROLLER_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_CONTROLLER_H_

#include <memory>

#include "trolley/actors/grpc/internal/control_state.h"
#include "trolley/proto/control.grpc.pb.h"

namespace trolley::internal {

using RawController = control::v1::Controller::WithRawCallbackMethod_StopActor<
    control::v1::Controller::Service>;

class Controller final : public RawController {
 public:
  explicit Controller(std::shared_ptr<const ControlState> state);
  ~Controller() override;

  grpc::ServerUnaryReactor* StopActor(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;

 private:
  class Stops;

  const std::shared_ptr<const ControlState> state_;
  const std::shared_ptr<Stops> stops_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_CONTROLLER_H_
