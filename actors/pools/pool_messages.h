// SPDX-License-Identifier: Apache-2.0
//
// The messages that every pool takes: ResizePool and GetPoolInfo.
//
//   absl::Status resized =
//       co_await pool.Ask(trolley::ResizePool{.workers = 8}, timeout);
//   absl::StatusOr<trolley::PoolInfo> info =
//       co_await pool.Ask(trolley::GetPoolInfo{}, timeout);
//
// Both come through the mailbox of the pool, as any message. A full mailbox
// refuses them. Then ask again, or use Ref::Send, which waits for its turn.
//
// Values; any thread. All numbers are counts.

#ifndef TROLLEY_ACTORS_POOLS_POOL_MESSAGES_H_
#define TROLLEY_ACTORS_POOLS_POOL_MESSAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "trolley/bus/address.h"

namespace trolley {

// From now on the pool has so many workers, 0 to PoolOptions::kMostWorkers.
// New workers come behind the others. The last ones go: they get no more
// messages, handle what their mailboxes hold, and end. The reply comes when
// they have ended. With 0 workers, messages that wait for a free worker
// (WorkPulling) are handled before; new ones are refused.
//
//   OK                 done
//   InvalidArgument    more than kMostWorkers
//   other              as Bus::Spawn: a worker could not be spawned. The pool
//                      keeps those that it has by then; the text says how many.
//
// If the asker no longer waits, the change goes on. A later ResizePool takes
// the place of one that is under way.
struct ResizePool {
  uint32_t workers = 0;
};

struct GetPoolInfo {};

struct PoolWorkerInfo {
  Address address;   // Ref<Worker>(address) stays valid over restarts
  std::string name;  // of the pool, '/', and a number
  int loop = 0;
  // False: it starts, or waits for its restart. Its mailbox takes messages.
  bool running = false;
  bool drains = false;  // ResizePool has taken it out
  // Messages in flight: the pool has given them to this worker, and they have
  // not ended. The tells of RoundRobin, ConsistentHash and Broadcast are not
  // known to the pool any more, and do not count.
  uint32_t load = 0;
  uint64_t given = 0;  // messages that its mailbox took from the pool
  // Restarts, one that waits for its pause included.
  uint64_t restarts = 0;
};

struct PoolInfo {
  // In the order of their indexes, which ConsistentHash counts with. Those that
  // drain come last.
  std::vector<PoolWorkerInfo> workers;
  uint32_t asks = 0;     // of PoolOptions::max_asks
  uint32_t waiting = 0;  // messages that wait for a free worker (WorkPulling)

  // What became of the messages since the start. Each of the refused ones also
  // counts as `failed` in the ledger, and an ask of them gets an error. Of a
  // Broadcast, each copy counts.
  uint64_t given = 0;          // the mailbox of a worker took it
  uint64_t refused_full = 0;   // ResourceExhausted: no mailbox took it
  uint64_t refused_empty = 0;  // Unavailable: the pool has no workers
  uint64_t refused_asks = 0;   // ResourceExhausted: PoolOptions::max_asks
  uint64_t refused_cause = 0;  // another error, such as a cycle of asks
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_POOLS_POOL_MESSAGES_H_
