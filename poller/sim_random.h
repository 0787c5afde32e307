// SPDX-License-Identifier: Apache-2.0
//
// SimRandom: the one source of chance in a simulated world. The same seed gives
// the same numbers on every machine and with every standard library.
//
// A value type; one thread.

#ifndef TROLLEY_POLLER_SIM_RANDOM_H_
#define TROLLEY_POLLER_SIM_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/types/span.h"

namespace trolley {

class SimRandom {
 public:
  explicit SimRandom(uint64_t seed) : state_(seed) {}

  // Any 64 bits. A counter with a large odd step, and two rounds of multiply
  // and shift to spread it: every state is visited once before any repeats.
  uint64_t Next() {
    state_ += 0x9e37'79b9'7f4a'7c15;
    return Mix(state_);
  }

  // 0 .. bound - 1; `bound` >= 1. The bias is below 2^-32 for small bounds.
  uint64_t Below(uint64_t bound) { return Next() % bound; }

  // True `per_mille` times in a thousand. Draws nothing where it is 0, so that
  // a fault that is switched off does not shift the others.
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

}  // namespace trolley

#endif  // TROLLEY_POLLER_SIM_RANDOM_H_
