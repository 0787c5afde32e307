// SPDX-License-Identifier: Apache-2.0
//
// From one loop to another, as fast as it goes.

#include "tests/bench/bus/stream.h"
#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/lib/raw.h"

namespace trolley::bench {
namespace {

constexpr uint64_t kMessages = 4'000'000;

template <class Queue>
void AddRaw(Bench& bench, const char* who) {
  bench.Add(kCrossOneWay, who, [](double scale) {
    Queue queue;
    return StreamOverQueue(Scaled(kMessages, scale), 1, queue);
  });
}

}  // namespace

void AddOneWay(Bench& bench) {
  AddRaw<BareRing<Value8>>(bench, "raw.spsc_ring");
  AddRaw<MallocQueue>(bench, "raw.mpsc_malloc");
  bench.Add(kCrossOneWay, "trolley", [](double scale) {
    return StreamOverBus({0, 1}, Scaled(kMessages, scale));
  });
}

}  // namespace trolley::bench
