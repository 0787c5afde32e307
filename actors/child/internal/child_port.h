// SPDX-License-Identifier: Apache-2.0
//
// ChildPort: what a ChildProcess, a member of the owner, and the ChildKeeper
// share. Both are actors of one loop, so what the one sets the other reads.
//
//   port->stop = true;          // the owner
//   port->changed.Notify();
//
// Ownership: shared by both, and by coroutines in WriteWhenRoom().
// Threads:   loop thread only.
// Bounds:    see ChildInput.
// Ends:      with the last of them.

#ifndef TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_PORT_H_
#define TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_PORT_H_

#include <sys/types.h>

#include "trolley/actors/async_condition.h"
#include "trolley/actors/child/child_process_options.h"
#include "trolley/actors/child/internal/child_input.h"
#include "trolley/actors/send.h"
#include "trolley/bus/actor_id.h"

namespace trolley::internal {

struct ChildPort {
  explicit ChildPort(const ChildProcessOptions& options)
      : input(options.format, options.max_waiting_bytes) {}

  ChildInput input;

  // The owner's wishes. Each is followed by changed.Notify().
  bool stop = false;
  bool kill = false;
  bool forgotten = false;  // the owner has gone and must hear nothing more

  // The keeper's.
  bool ended = false;              // ChildEnd was sent
  SendAwaiter* sending = nullptr;  // waits for a credit of the owner
  pid_t pid = 0;
  ActorId keeper;

  AsyncCondition changed;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_PORT_H_
