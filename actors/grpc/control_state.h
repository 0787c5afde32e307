// SPDX-License-Identifier: Apache-2.0
//
// ControlState: what the three services share: the bus, the options, the calls
// that are open.
//
// Ownership: shared by the services and by what may answer late; borrows the
//            bus, which is used by methods only, while the server lives.
// Threads:   immutable after construction, but for `alarms` and `calls`, which
//            are thread-safe.

#ifndef TROLLEY_ACTORS_GRPC_CONTROL_STATE_H_
#define TROLLEY_ACTORS_GRPC_CONTROL_STATE_H_

#include <grpcpp/server_context.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "trolley/actors/grpc/alarms.h"
#include "trolley/actors/grpc/control_service.h"
#include "trolley/actors/grpc/open_call.h"
#include "trolley/bus/bus.h"
#include "trolley/proto/control.pb.h"

namespace trolley::control {

struct ControlState {
  ControlState(Bus& bus, ControlOptions options);

  // How long a call may take: until a little before its client gives up, so
  // that the reason reaches it; ControlOptions has the default and the bound.
  absl::Duration LimitOf(const grpc::CallbackServerContext& context) const;

  // Names this run of an actor in this process and no other.
  std::string UidOf(ActorId id) const;

  // OK, or BAD_REQUEST if no actor can have that name.
  grpc::Status CheckName(absl::string_view field,
                         const std::string& name) const;
  // OK, or STALE_INCARNATION: `wanted` is neither empty nor this actor's.
  grpc::Status CheckUid(absl::string_view actor, const std::string& wanted,
                        ActorId id) const;

  // ACTOR_NOT_FOUND; why the last one of that name has ended.
  grpc::Status NoSuchActor(const std::string& name) const;

  // With `last` true: of one that is ending.
  v1::Actor ToProto(const ActorInfo& info, bool last = false) const;

  Bus& bus;
  const ControlOptions options;
  const std::string instance_uid;
  const absl::Time start_time;  // of day, to be shown
  const std::shared_ptr<Alarms> alarms;
  const std::shared_ptr<OpenCalls> calls;
};

std::string LoopName(uint32_t index);

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_CONTROL_STATE_H_
