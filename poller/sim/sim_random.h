// SPDX-License-Identifier: Apache-2.0
//
// SimRandom: the only source of random numbers in a simulated world. The same
// seed gives the same numbers on every machine and with every standard library.
//
//   SimRandom random(seed);
//   size_t index = random.Below(items.size());
//
// A value type; one thread.

#ifndef TROLLEY_POLLER_SIM_SIM_RANDOM_H_
#define TROLLEY_POLLER_SIM_SIM_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/types/span.h"

namespace trolley::internal {

class SimRandom {
 public:
  explicit SimRandom(uint64_t seed)
      // mutant: P18_TheSeedIsForgotten
      : state_(seed) {}

  // A random 64-bit number. The state is a counter with a large odd step, so it
  // takes all 2^64 values before one repeats. Mix() spreads the bits.
  uint64_t Next() {
    state_ += 0x9e37'79b9'7f4a'7c15;
    // mutant: P18_WorldsShareTheirChance
    return Mix(state_);
  }

  // A number from 0 to bound - 1; `bound` >= 1. The bias is below 2^-32 for
  // bounds below 2^32.
  uint64_t Below(uint64_t bound) { return Next() % bound; }

  // True with a probability of `per_mille` in a thousand. If that is 0 it draws
  // no number, so a fault that is switched off does not change the others.
  bool Chance(int per_mille) {
    return per_mille > 0 && Below(1000) < static_cast<uint64_t>(per_mille);
  }

  template <typename T>
  void Shuffle(absl::Span<T> items) {
    for (size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[Below(i)]);
    }
  }

  static constexpr uint64_t Mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9;
    x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11eb;
    return x ^ (x >> 31);
  }

 private:
  uint64_t state_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_SIM_SIM_RANDOM_H_
