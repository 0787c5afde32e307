// SPDX-License-Identifier: Apache-2.0
//
// Endings: actors of one loop that are to end in a given order, and how far the
// loop has got with it (Loop::EndActors).
//
// A value; loop thread only.

#ifndef TROLLEY_BUS_ENDINGS_H_
#define TROLLEY_BUS_ENDINGS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "trolley/bus/actor_id.h"

namespace trolley {

struct Endings {
  std::vector<ActorId> ids;
  // What is in the mailbox of each, when it is its turn, is handled first; what
  // follows from that is not, or it might never end.
  bool handle_queued = false;

  size_t next = 0;  // in `ids`
  std::optional<uint32_t> queued =
      {};  // messages of the next one to handle yet
};

}  // namespace trolley

#endif  // TROLLEY_BUS_ENDINGS_H_
