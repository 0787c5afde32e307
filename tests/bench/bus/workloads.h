// SPDX-License-Identifier: Apache-2.0
//
// The workloads, whoever does them, and who adds what. A peer gets a file of
// its own that adds it to the workloads it can do. For benchmarks only.

#ifndef TROLLEY_TESTS_BENCH_BUS_WORKLOADS_H_
#define TROLLEY_TESTS_BENCH_BUS_WORKLOADS_H_

#include "trolley/tests/bench/lib/bench.h"

namespace trolley::bench {

// Two actors on one loop, one message between them.
inline constexpr Workload kSameLoopPingPong = {
    .name = "same_loop_pingpong", .unit = "M msg/s", .higher_is_better = true};
// One actor sends to another on its loop: kStreamBurst messages, and the next
// burst when those have been handled.
inline constexpr Workload kSameLoopStream = {
    .name = "same_loop_stream", .unit = "M msg/s", .higher_is_better = true};
inline constexpr int kStreamBurst = 100;

// A round trip between two loops, one message in flight.
inline constexpr Workload kCrossPingPongBlock = {.name = "cross_pingpong_block",
                                                 .unit = "ns",
                                                 .higher_is_better = false,
                                                 .two_cpus = true,
                                                 .blocks = true,
                                                 .has_p99 = true};
// The same, but a loop looks for messages for kSpinMicroseconds.
inline constexpr Workload kCrossPingPongSpin = {.name = "cross_pingpong_spin",
                                                .unit = "ns",
                                                .higher_is_better = false,
                                                .two_cpus = true,
                                                .has_p99 = true};
inline constexpr int kSpinMicroseconds = 10;

// One loop sends to another, at most kWindow messages in flight.
inline constexpr Workload kCrossOneWay = {.name = "cross_oneway",
                                          .unit = "M msg/s",
                                          .higher_is_better = true,
                                          .two_cpus = true};
// The same from 4 loops to one.
inline constexpr Workload kFanIn4 = {.name = "fanin4",
                                     .unit = "M msg/s",
                                     .higher_is_better = true,
                                     .two_cpus = true};
inline constexpr int kWindow = 4096;

// One token passed around 100 or 1000 actors on one loop.
inline constexpr Workload kRing100 = {
    .name = "ring100", .unit = "M hop/s", .higher_is_better = true};
inline constexpr Workload kRing1000 = {
    .name = "ring1000", .unit = "M hop/s", .higher_is_better = true};

// Asks to another loop, 1 or 64 in flight, each with a deadline; between loops
// that sleep, and between loops that look for kSpinMicroseconds first.
inline constexpr Workload kAsk1 = {.name = "ask1",
                                   .unit = "M ask/s",
                                   .higher_is_better = true,
                                   .two_cpus = true,
                                   .blocks = true};
inline constexpr Workload kAsk1Spin = {.name = "ask1_spin",
                                       .unit = "M ask/s",
                                       .higher_is_better = true,
                                       .two_cpus = true};
inline constexpr Workload kAsk64 = {.name = "ask64",
                                    .unit = "M ask/s",
                                    .higher_is_better = true,
                                    .two_cpus = true,
                                    .blocks = true};
inline constexpr Workload kAsk64Spin = {.name = "ask64_spin",
                                        .unit = "M ask/s",
                                        .higher_is_better = true,
                                        .two_cpus = true};

// Actors spawned, sent one message, which they end by, and destroyed.
inline constexpr Workload kSpawnDestroy = {
    .name = "spawn_destroy", .unit = "M actor/s", .higher_is_better = true};
// What an actor that has nothing to do adds to the process, in memory.
inline constexpr Workload kIdleActorBytes = {.name = "idle_actor_bytes",
                                             .unit = "B",
                                             .higher_is_better = false,
                                             .own_process = true};
// A tree of actors, 10 children each, 10^6 leaves, which send their number to
// their parents to be added up. https://github.com/atemerev/skynet
inline constexpr Workload kSkynet = {.name = "skynet1e6",
                                     .unit = "M actor/s",
                                     .higher_is_better = true,
                                     .two_cpus = true};

// Sets and cancels, with 10^6 timers armed.
inline constexpr Workload kTimers = {
    .name = "timers1e6", .unit = "M pair/s", .higher_is_better = true};

// An ask to an actor whose neighbour on the loop has kFlood messages of about
// 1 us waiting at any time.
inline constexpr Workload kFloodedQuiet = {.name = "flooded_quiet",
                                           .unit = "ns",
                                           .higher_is_better = false,
                                           .has_p99 = true};
inline constexpr int kFlood = 512;

// Waits that ended in a bus of two loops and two actors with nothing to do.
inline constexpr Workload kIdleWakeups = {
    .name = "idle_wakeups", .unit = "in 10 s", .higher_is_better = false};

void AddSameLoop(Bench& bench);
void AddCross(Bench& bench);
void AddOneWay(Bench& bench);
void AddFanIn(Bench& bench);
void AddRing(Bench& bench);
void AddAsk(Bench& bench);
void AddSpawn(Bench& bench);
void AddSkynet(Bench& bench);
void AddTimers(Bench& bench);
void AddQuiet(Bench& bench);
void AddIdle(Bench& bench);

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_BUS_WORKLOADS_H_
