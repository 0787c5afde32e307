// SPDX-License-Identifier: Apache-2.0
//
// One signal between two threads, there and back. For benchmarks only; called
// by the thread of the case, owns both threads and returns when they have
// ended.

#ifndef TROLLEY_TESTS_BENCH_LIB_PING_PONG_H_
#define TROLLEY_TESTS_BENCH_LIB_PING_PONG_H_

#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {

// A Signal has Give() for one thread and Get(), which waits, for another.
template <class Signal>
Figures PingPongOver(uint64_t trips) {
  Signal there, back;
  std::thread echo([&] {
    PinTo(0);
    for (uint64_t i = 0; i < trips; ++i) {
      there.Get();
      back.Give();
    }
  });
  std::vector<double> times(trips);
  std::thread caller([&] {
    PinTo(1);
    for (double& time : times) {
      const int64_t start = Nanoseconds();
      there.Give();
      back.Get();
      time = static_cast<double>(Nanoseconds() - start);
    }
  });
  caller.join();
  echo.join();
  return Percentiles(std::move(times));
}

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_PING_PONG_H_
