// SPDX-License-Identifier: Apache-2.0
//
// The workloads, which the bus, the bare mechanisms and the peers all run. For
// benchmarks only; immutable, any thread.

#ifndef TROLLEY_TESTS_BENCH_LIB_WORKLOADS_H_
#define TROLLEY_TESTS_BENCH_LIB_WORKLOADS_H_

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "trolley/tests/bench/lib/bench.h"

namespace trolley::bench {

// Two actors on one loop, one message between them.
inline const Workload kSameLoopPingPong = {
    .name = "same_loop_pingpong", .unit = "M msg/s", .higher_is_better = true};
// One actor sends to another on its loop: kStreamBurst messages, and the next
// burst when those have been handled.
inline const Workload kSameLoopStream = {
    .name = "same_loop_stream", .unit = "M msg/s", .higher_is_better = true};
inline constexpr int kStreamBurst = 100;

// A round trip between two loops, one message in flight.
inline const Workload kCrossPingPongBlock = {.name = "cross_pingpong_block",
                                             .unit = "ns",
                                             .higher_is_better = false,
                                             .two_cpus = true,
                                             .blocks = true,
                                             .has_p99 = true};
// The same, but a loop looks for messages for kSpinMicroseconds.
inline const Workload kCrossPingPongSpin = {.name = "cross_pingpong_spin",
                                            .unit = "ns",
                                            .higher_is_better = false,
                                            .two_cpus = true,
                                            .has_p99 = true};
inline constexpr int kSpinMicroseconds = 10;

// One loop sends to another, at most kWindow messages in flight.
inline const Workload kCrossOneWay = {.name = "cross_oneway",
                                      .unit = "M msg/s",
                                      .higher_is_better = true,
                                      .two_cpus = true};
// The same from 4 loops to one.
inline const Workload kFanIn4 = {.name = "fanin4",
                                 .unit = "M msg/s",
                                 .higher_is_better = true,
                                 .two_cpus = true};
inline constexpr int kWindow = 4096;

// One token passed around 100 or 1000 actors on one loop.
inline const Workload kRing100 = {
    .name = "ring100", .unit = "M hop/s", .higher_is_better = true};
inline const Workload kRing1000 = {
    .name = "ring1000", .unit = "M hop/s", .higher_is_better = true};

// Asks to another loop, 1 or 64 in flight, each with a deadline; between loops
// that sleep, and between loops that look for kSpinMicroseconds first.
inline const Workload kAsk1 = {.name = "ask1",
                               .unit = "M ask/s",
                               .higher_is_better = true,
                               .two_cpus = true,
                               .blocks = true};
inline const Workload kAsk1Spin = {.name = "ask1_spin",
                                   .unit = "M ask/s",
                                   .higher_is_better = true,
                                   .two_cpus = true};
inline const Workload kAsk64 = {.name = "ask64",
                                .unit = "M ask/s",
                                .higher_is_better = true,
                                .two_cpus = true,
                                .blocks = true};
inline const Workload kAsk64Spin = {.name = "ask64_spin",
                                    .unit = "M ask/s",
                                    .higher_is_better = true,
                                    .two_cpus = true};

// Actors spawned, sent one message, which they end by, and destroyed.
inline const Workload kSpawnDestroy = {
    .name = "spawn_destroy", .unit = "M actor/s", .higher_is_better = true};
// What an actor that has nothing to do adds to the process, in memory.
inline const Workload kIdleActorBytes = {.name = "idle_actor_bytes",
                                         .unit = "B",
                                         .higher_is_better = false,
                                         .own_process = true};
// A tree of actors, 10 children each, 10^6 leaves, which send their number to
// their parents to be added up. https://github.com/atemerev/skynet
inline const Workload kSkynet = {.name = "skynet1e6",
                                 .unit = "M actor/s",
                                 .higher_is_better = true,
                                 .two_cpus = true};

inline constexpr int kSkynetChildren = 10;
inline uint64_t SkynetLeaves(double scale) {
  constexpr uint64_t kLeaves = 1'000'000;
  uint64_t leaves = kLeaves;
  while (leaves > 1000 && static_cast<double>(leaves) > kLeaves * scale) {
    leaves /= kSkynetChildren;
  }
  return leaves;
}

// Sets and cancels, with 10^6 timers armed.
inline const Workload kTimers = {
    .name = "timers1e6", .unit = "M pair/s", .higher_is_better = true};

// An ask to an actor whose neighbour on the loop has kFlood messages of about
// 1 us waiting at any time.
inline const Workload kFloodedQuiet = {.name = "flooded_quiet",
                                       .unit = "ns",
                                       .higher_is_better = false,
                                       .has_p99 = true};
inline constexpr int kFlood = 512;

// Waits that ended in a bus of two loops and two actors with nothing to do.
inline const Workload kIdleWakeups = {
    .name = "idle_wakeups", .unit = "in 10 s", .higher_is_better = false};

// Watching, restarts, topics, pools -----------------------------------------

// Actors are spawned, watched and ended, so many at a time.
inline const Workload kWatchDown = {
    .name = "watch_down", .unit = "M down/s", .higher_is_better = true};
inline constexpr int kAtATime = 100;

// A child throws as soon as it has started.
inline const Workload kSupervisorRestart = {.name = "supervisor_restart",
                                            .unit = "M restart/s",
                                            .higher_is_better = true};

// Each publication goes to so many subscribers of the same loop.
inline const Workload kPubsubFanout = {
    .name = "pubsub_fanout", .unit = "M delivery/s", .higher_is_better = true};
inline constexpr int kSubscribers = 100;

// Bursts to a pool of the same loop; the next one when all was handled.
inline const Workload kPoolRoundRobin = {
    .name = "pool_roundrobin", .unit = "M msg/s", .higher_is_better = true};
inline constexpr int kPoolWorkers = 4;
inline constexpr int kPoolBurst = 100;

// Cost against scale --------------------------------------------------------

// A token passed around so many actors, which lie in memory in another order
// than that of the ring, so that caches show.
inline constexpr int kActorScales[] = {100, 1000, 10'000, 100'000, 1'000'000};
inline Workload ScaleActors(int actors) {
  return {.name = "scale_actors_" + std::to_string(actors),
          .unit = "ns",
          .higher_is_better = false};
}
inline std::vector<int> ScaleOrder(int actors) {
  std::vector<int> order(actors);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  return order;
}

// So many loops, each sending to the next as fast as it goes; all together.
inline constexpr int kLoopScales[] = {1, 2, 4, 8};
inline Workload ScaleLoops(int loops) {
  return {.name = "scale_loops_" + std::to_string(loops),
          .unit = "M msg/s",
          .higher_is_better = true,
          .two_cpus = true};
}

// From one loop to another, strings of so many bytes, which the sender makes
// and the receiver looks at.
inline constexpr int kMessageScales[] = {8, 64, 1024, 16384, 131072, 1 << 20};
inline Workload ScaleMessage(int bytes) {
  return {.name = "scale_message_" + std::to_string(bytes),
          .unit = "ns",
          .higher_is_better = false,
          .two_cpus = true};
}

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_WORKLOADS_H_
