// SPDX-License-Identifier: Apache-2.0
//
// PoolOptions: how many workers a pool has, where they live, what it holds, and
// how it replaces a worker that ends.
//
//   bus.Spawn<trolley::Pool<Resizer>>(
//       {.name = "resizers"}, trolley::PoolOptions{.workers = 8});
//
// Values; any thread.

#ifndef TROLLEY_ACTORS_POOLS_POOL_OPTIONS_H_
#define TROLLEY_ACTORS_POOLS_POOL_OPTIONS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace trolley {

struct PoolOptions {
  static constexpr uint32_t kMostWorkers = 1024;
  static constexpr uint32_t kMostRestarts = 1024;

  // Workers at the start, 0 to kMostWorkers; a count. ResizePool changes it. 4:
  // as many as a small machine has processors.
  uint32_t workers = 4;
  // The loops that the workers live on: worker i on entry i, and again from the
  // first. Empty: all loops of the bus.
  std::vector<int> loops = {};
  // SpawnOptions::mailbox_capacity of each worker, with its range; a count.
  // 1024: as there. With WorkPulling it is 16 at least, and one message is in
  // it.
  uint32_t worker_mailbox = 1024;
  // SpawnOptions::mailbox_bytes of each worker, with its range. 0: no bound.
  uint64_t worker_mailbox_bytes = 0;
  // Asks that the pool has given to workers, or that wait in it for one; at
  // least 1; a count. A further one is ResourceExhausted. An actor refuses asks
  // when half of its mailbox_capacity is taken by them. So keep this below a
  // half of that of the pool: then ResizePool and GetPoolInfo are not refused
  // for it. 256: a quarter of the default.
  uint32_t max_asks = 256;

  // So often the pool replaces one worker within `restart_window`, 0 to
  // kMostRestarts; a count. If that worker ends once more, the pool ends as
  // failed. Its supervisor decides what to do. 10: enough for a bad message now
  // and then, and few enough to notice a worker that never works.
  uint32_t max_restarts = 10;
  // Restarts that are older than this do not count. 0: none counts, so there is
  // no limit. Infinite: all count.
  absl::Duration restart_window = absl::Minutes(1);
  // The first restart of a worker within the window is at once. The pause
  // before the second one is this, and each further pause is twice as long. 10
  // ms: short for an asker that waits.
  absl::Duration restart_backoff = absl::Milliseconds(10);
  // No pause is longer. 10 s: a service that was down is tried again soon.
  absl::Duration longest_backoff = absl::Seconds(10);
};

// OK, or InvalidArgument: the text names the field, its value and its range. A
// pool with other options ends at its start, and this is why.
absl::Status ValidatePoolOptions(const PoolOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_POOLS_POOL_OPTIONS_H_
