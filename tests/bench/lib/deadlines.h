// SPDX-License-Identifier: Apache-2.0
//
// Which timers are set and cancelled, the same for everyone. For benchmarks
// only; a value, used by the one thread that owns it.

#ifndef TROLLEY_TESTS_BENCH_LIB_DEADLINES_H_
#define TROLLEY_TESTS_BENCH_LIB_DEADLINES_H_

#include <cstdint>

namespace trolley::bench {

inline constexpr uint64_t kTimersArmed = 1'000'000;
inline constexpr uint64_t kTimerPairs = 2'000'000;

// Deadlines from 10 to 70 s ahead, in no order.
class Deadlines {
 public:
  int64_t NextMilliseconds() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>(10'000 + (state_ >> 33) % 60'000);
  }
  // Which timer is next.
  uint64_t Pick(uint64_t of) { return (state_ >> 20) % of; }

 private:
  uint64_t state_ = 1;
};

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_DEADLINES_H_
