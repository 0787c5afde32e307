// SPDX-License-Identifier: Apache-2.0
//
// Frames between two processes: how many of which size, for every carrier.
// For benchmarks only; functions without state, called by main() before the
// bench runs.

#ifndef TROLLEY_TESTS_BENCH_LIB_FRAMES_H_
#define TROLLEY_TESTS_BENCH_LIB_FRAMES_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "trolley/tests/bench/lib/bench.h"

namespace trolley::bench {

inline constexpr size_t kFrameSizes[] = {8, 64, 1024, 65536, 1 << 20};

// A frame of `bytes` there, and one of `bytes` back, one at a time.
inline Workload FrameRoundTrips(const std::string& transport, size_t bytes) {
  return {.name = "frames_" + transport + "_rtt_" + std::to_string(bytes),
          .unit = "ns",
          .higher_is_better = false,
          .two_cpus = true,
          .blocks = bytes == 64,  // one size tells what halting costs
          .has_p99 = true};
}
// As fast as they go, to a process that looks at each and says at the end how
// many came.
inline Workload FrameStream(const std::string& transport, size_t bytes) {
  return {.name = "frames_" + transport + "_oneway_" + std::to_string(bytes),
          .unit = "M frame/s",
          .higher_is_better = true,
          .two_cpus = true};
}

// So that a run takes a fraction of a second: half a gigabyte at most.
inline uint64_t FramesOf(size_t bytes, double scale) {
  const uint64_t full =
      std::clamp<uint64_t>((512ull << 20) / bytes, 300, 500'000);
  return std::max<uint64_t>(100, static_cast<uint64_t>(full * scale));
}
inline uint64_t TripsOf(size_t bytes, double scale) {
  const uint64_t full =
      std::clamp<uint64_t>((256ull << 20) / bytes, 300, 20'000);
  return std::max<uint64_t>(100, static_cast<uint64_t>(full * scale));
}

// Adds both for every size; `trips` and `stream` get a size and a count.
inline void AddFrames(Bench& bench, const std::string& transport,
                      const std::string& who,
                      std::function<Figures(size_t, uint64_t)> trips,
                      std::function<Figures(size_t, uint64_t)> stream) {
  for (size_t bytes : kFrameSizes) {
    if (trips) {
      bench.Add(FrameRoundTrips(transport, bytes), who, [=](double scale) {
        return trips(bytes, TripsOf(bytes, scale));
      });
    }
    if (stream) {
      bench.Add(FrameStream(transport, bytes), who, [=](double scale) {
        return stream(bytes, FramesOf(bytes, scale));
      });
    }
  }
}

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_FRAMES_H_
