// SPDX-License-Identifier: Apache-2.0
//
// The control messages that begin and end actors. Values; any thread.

#ifndef TROLLEY_BUS_LOOP_ACTOR_REQUESTS_H_
#define TROLLEY_BUS_LOOP_ACTOR_REQUESTS_H_

#include <cstdint>
#include <memory>

#include "trolley/bus/loop/early_requests.h"
#include "trolley/bus/mailbox/actor_base.h"
#include "trolley/bus/mailbox/actor_class.h"
#include "trolley/bus/message/control_envelope.h"
#include "trolley/bus/options.h"

namespace trolley::internal {

// Takes an actor to the cell that is reserved for it.
struct SpawnRequest {
  std::unique_ptr<ActorBase> actor;
  const ActorClass* actor_class;
  SpawnOptions options;
  uint64_t start_sequence;
  std::unique_ptr<EarlyRequests> early;  // null: none
};

// Frees the cell of an actor whose constructor threw.
struct AbandonRequest {};

// Ends an actor.
struct StopRequest {
  bool drain = false;  // true: after it has handled its mailbox
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_ACTOR_REQUESTS_H_
