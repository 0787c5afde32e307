// SPDX-License-Identifier: Apache-2.0
//
// ControlState: what the three services share: the bus, the options, the open
// calls.
//
// Ownership: shared by the services and by callbacks that answer later. Borrows
//            the bus; only methods use it, while the server lives.
// Threads:   immutable after construction, except `alarms`, `answers` and
//            `calls`, which are thread-safe.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_CONTROL_STATE_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_CONTROL_STATE_H_

#include <grpcpp/server_context.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/grpc/control_options.h"
#include "trolley/actors/grpc/internal/alarms.h"
#include "trolley/actors/grpc/internal/open_call.h"
#include "trolley/proto/control.pb.h"

namespace trolley::internal {

struct ControlState {
  ControlState(Bus& bus, ControlOptions options);

  // How long a call may take: a little less than its client waits, so that the
  // client gets the reason. ControlOptions has the default and the maximum.
  absl::Duration LimitOf(const grpc::CallbackServerContext& context) const;

  // Names one actor of one run of this process, and never another one.
  std::string UidOf(ActorId id) const;

  // OK, or BAD_REQUEST: no actor can have this name.
  grpc::Status CheckName(absl::string_view field,
                         const std::string& name) const;
  // OK, or STALE_INCARNATION: `wanted` is not empty, and not UidOf(id).
  grpc::Status CheckUid(absl::string_view actor, const std::string& wanted,
                        ActorId id) const;

  // ACTOR_NOT_FOUND; the text says why the last actor of that name has ended.
  grpc::Status NoSuchActor(const std::string& name) const;

  // `last`: the actor is ending.
  control::v1::Actor ToProto(const ActorInfo& info, bool last = false) const;

  Bus& bus;
  const ControlOptions options;
  const std::string instance_uid;
  const absl::Time start_time;  // of day, to be shown
  // The deadlines of calls and the like; no action takes long.
  const std::shared_ptr<Alarms> alarms;
  // Answers that take too long to make for a loop, and for `alarms`.
  const std::shared_ptr<Alarms> answers;
  const std::shared_ptr<OpenCalls> calls;
};

std::string LoopName(uint32_t index);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_CONTROL_STATE_H_
