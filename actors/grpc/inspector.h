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

class Inspector final : public v1::Inspector::CallbackService {
 public:
  explicit Inspector(std::shared_ptr<const ControlState> state)
      : state_(std::move(state)) {}

  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                          const v1::GetServerInfoRequest*,
                                          v1::ServerInfo* response) override;
  grpc::ServerUnaryReactor* ListActors(
      grpc::CallbackServerContext* context,
      const v1::ListActorsRequest* request,
      v1::ListActorsResponse* response) override;
  grpc::ServerUnaryReactor* GetActor(grpc::CallbackServerContext* context,
                                     const v1::GetActorRequest* request,
                                     v1::Actor* response) override;
  grpc::ServerUnaryReactor* ListLoops(grpc::CallbackServerContext* context,
                                      const v1::ListLoopsRequest*,
                                      v1::ListLoopsResponse* response) override;

 private:
  // A call that ends with `answer` once all loops have told about themselves,
  // not about their actors.
  grpc::ServerUnaryReactor* InspectLoops(
      const grpc::CallbackServerContext& context,
      std::function<grpc::Status(BusInfo)> answer);

  const std::shared_ptr<const ControlState> state_;
};

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_INSPECTOR_H_
