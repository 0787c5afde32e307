// SPDX-License-Identifier: Apache-2.0
//
// The whole bus beside the mechanisms underneath, written by hand, and beside
// peers. Bounds, ledger and deadlines are on, and every run checks that what
// was sent has arrived. docs/performance.md has figures.

#include "tests/bench/bus/workloads.h"

int main(int argc, char** argv) {
  trolley::bench::Bench bench;
  trolley::bench::AddSameLoop(bench);
  trolley::bench::AddRing(bench);
  trolley::bench::AddCross(bench);
  trolley::bench::AddOneWay(bench);
  trolley::bench::AddFanIn(bench);
  trolley::bench::AddAsk(bench);
  trolley::bench::AddSpawn(bench);
  trolley::bench::AddSkynet(bench);
  trolley::bench::AddTimers(bench);
  trolley::bench::AddQuiet(bench);
  trolley::bench::AddIdle(bench);
  trolley::bench::AddScale(bench);
  return bench.Main(argc, argv);
}
