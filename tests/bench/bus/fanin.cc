// SPDX-License-Identifier: Apache-2.0
//
// From four loops to one. Five threads share what CPUs there are; none is
// pinned.

#include "tests/bench/bus/stream.h"
#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/lib/raw.h"

namespace trolley::bench {
namespace {

constexpr uint64_t kMessages = 1'000'000;  // from each
constexpr int kSenders = 4;

}  // namespace

void AddFanIn(Bench& bench) {
  bench.Add(kFanIn4, "raw.mpsc_malloc", [](double scale) {
    MallocQueue queue;
    return StreamOverQueue(Scaled(kMessages, scale), kSenders, queue);
  });
  bench.Add(kFanIn4, "trolley", [](double scale) {
    return StreamOverBus(std::vector<int>(kSenders + 1, RunBus::kAnywhere),
                         Scaled(kMessages, scale));
  });
}

}  // namespace trolley::bench
