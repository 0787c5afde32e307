// SPDX-License-Identifier: Apache-2.0
//
// LoopInspector: makes the LoopInfo of a loop and the ActorInfo of one actor.
// The cost of a call does not grow with the number of actors.
//
// Ownership: part of a loop.
// Threads:   loop thread only.

#ifndef TROLLEY_BUS_LOOP_LOOP_INSPECTOR_H_
#define TROLLEY_BUS_LOOP_LOOP_INSPECTOR_H_

#include <optional>
#include <string>
#include <utility>

#include "trolley/bus/inspect.h"
#include "trolley/bus/loop/coroutine_runner.h"
#include "trolley/bus/loop/message_router.h"

namespace trolley::internal {

class LoopInspector {
 public:
  // `poller`: its name.
  LoopInspector(std::string poller, MessageRouter& router,
                const CoroutineRunner& coroutines)
      : poller_(std::move(poller)), router_(router), coroutines_(coroutines) {}

  LoopInfo Loop() const;
  // Nullopt: the actor has ended, or has not come to this loop yet.
  std::optional<ActorInfo> Actor(ActorId id) const;

 private:
  const std::string poller_;
  MessageRouter& router_;
  const CoroutineRunner& coroutines_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_LOOP_INSPECTOR_H_
