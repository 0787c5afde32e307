// SPDX-License-Identifier: Apache-2.0
//
// How often a bus with nothing to do wakes up.

#include <sys/resource.h>

#include <algorithm>

#include "tests/bench/bus/workloads.h"
#include "trolley/bus/latch.h"
#include "trolley/tests/bench/bus/run_bus.h"

namespace trolley::bench {
namespace {

class Idler : public Actor {
 public:
  struct Live {};
  void On(Live) {}
};

// Turns beyond the one that looking at it takes.
Figures Wakeups(double scale) {
  RunBus run({RunBus::kAnywhere, RunBus::kAnywhere});
  for (int loop : {0, 1}) {
    run.Spawn<Idler>(loop, RunBus::kDefaultCapacity).Tell(Idler::Live{});
  }
  auto turns = [&run] {
    absl::StatusOr<BusInfo> info = run.bus().Inspect(absl::Seconds(10));
    if (!info.ok()) Die(info.status().ToString());
    uint64_t waits = 0;
    for (const LoopInfo& loop : info->loops) waits += loop.waits;
    return waits;
  };
  // The second look sees what looking costs; the third, what idling does.
  turns();
  const uint64_t before = turns();
  const uint64_t looking = turns() - before;
  // The benchmark's own wait.
  Latch().Wait(absl::Seconds(std::max(0.1, 10 * scale)));
  const uint64_t after = turns();
  run.Finish(2);
  return static_cast<double>(after - before - 2 * looking);
}

}  // namespace

void AddIdle(Bench& bench) { bench.Add(kIdleWakeups, "trolley", Wakeups); }

}  // namespace trolley::bench
