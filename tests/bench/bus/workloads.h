// SPDX-License-Identifier: Apache-2.0
//
// The functions that add the cases of the bus and of the bare mechanisms. For
// benchmarks only; without state, called by main() before the bench runs.

#ifndef TROLLEY_TESTS_BENCH_BUS_WORKLOADS_H_
#define TROLLEY_TESTS_BENCH_BUS_WORKLOADS_H_

#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/workloads.h"

namespace trolley::bench {

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
void AddScale(Bench& bench);

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_BUS_WORKLOADS_H_
