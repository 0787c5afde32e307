// SPDX-License-Identifier: Apache-2.0
//
// Streams of numbers from loops to one loop, over the bus.
// For benchmarks only; called by one thread, which waits for the end. Owns and
// ends the bus it measures.

#ifndef TROLLEY_TESTS_BENCH_BUS_STREAM_H_
#define TROLLEY_TESTS_BENCH_BUS_STREAM_H_

#include <cstdint>
#include <vector>

#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/queue_stream.h"

namespace trolley::bench {

// Loop 0 receives, the others send; millions of messages in a second. A sender
// waits for room when the receiver's mailbox is full.
Figures StreamOverBus(std::vector<int> cpus, uint64_t messages);

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_BUS_STREAM_H_
