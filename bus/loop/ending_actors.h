// SPDX-License-Identifier: Apache-2.0
//
// EndingActors: actors of one loop that have to end in a given order, and how
// far the loop has come (ActorLifecycle).
//
// A value; loop thread only.

#ifndef TROLLEY_BUS_LOOP_ENDING_ACTORS_H_
#define TROLLEY_BUS_LOOP_ENDING_ACTORS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "trolley/bus/actor_id.h"

namespace trolley::internal {

struct EndingActors {
  std::vector<ActorId> ids;
  // True: an actor handles the messages that are in its mailbox when its turn
  // comes. Messages that come later are dropped: it might never end otherwise.
  bool handle_queued = false;

  size_t next = 0;                      // in `ids`
  std::optional<uint64_t> queued = {};  // messages that ids[next] handles still
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_ENDING_ACTORS_H_
