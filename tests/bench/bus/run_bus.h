// SPDX-License-Identifier: Apache-2.0
//
// RunBus: a bus for one repetition, its loops pinned, that checks its ledger at
// the end. For benchmarks only.
//
// Ownership: owns the bus and with it the actors; lives for one repetition.
// Threads:   the benchmark's; the loops have their own.
// Bounds:    the mailboxes' capacities.
// Ends:      Finish(), which shuts the bus down.

#ifndef TROLLEY_TESTS_BENCH_BUS_RUN_BUS_H_
#define TROLLEY_TESTS_BENCH_BUS_RUN_BUS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bench/lib/bench.h"

namespace trolley::bench {

class RunBus {
 public:
  static constexpr int kAnywhere = -1;

  // One loop for each of `cpus`.
  explicit RunBus(std::vector<int> cpus,
                  absl::Duration spin = absl::ZeroDuration());

  Bus& bus() { return bus_; }

  // Spawns an actor on `loop`, with a mailbox for `capacity` messages.
  template <typename A, typename... Args>
  Ref<A> Spawn(int loop, uint32_t capacity, Args&&... args) {
    auto actor = bus_.Spawn<A>({.loop = loop, .mailbox_capacity = capacity},
                               std::forward<Args>(args)...);
    if (!actor.ok()) Die(actor.status().ToString());
    return *std::move(actor);
  }
  static constexpr uint32_t kDefaultCapacity = 1024;

  // Ends the bus; dies if it does not balance or handled fewer than `messages`.
  void Finish(uint64_t messages);

 private:
  Bus bus_;
};

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_BUS_RUN_BUS_H_
