// SPDX-License-Identifier: Apache-2.0
//
// What a figure depends on besides the code: which CPUs, how far a cache line
// travels between them, and whether idle CPUs halt. For benchmarks only; any
// thread, but LineRoundTrip(), which is main()'s. AwakeCpus is main()'s, too,
// and lets the CPUs halt again when it ends.

#ifndef TROLLEY_TESTS_BENCH_LIB_MACHINE_H_
#define TROLLEY_TESTS_BENCH_LIB_MACHINE_H_

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace trolley::bench {

inline void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

inline void PinTo(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof(one), &one);
}

inline int64_t Nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// About a microsecond. The clock, not a loop of so many rounds: other machines
// are faster.
inline void WorkAMicrosecond() {
  for (const int64_t until = Nanoseconds() + 950; Nanoseconds() < until;) {
  }
}

// Freed memory stays with the process. By default glibc gives back what is free
// at the end of its heap, often 2 MiB of it, and faults it in again for the
// next message of a mebibyte, which then costs three times as much with each
// library.
inline void KeepFreedMemory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

// Keeps idle CPUs polling instead of halting, as long as it lives. Halting and
// coming back costs 24 us on a virtual machine and hides everything else.
class AwakeCpus {
 public:
  AwakeCpus() : fd_(open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC)) {
    const int32_t microseconds = 0;
    held_ = fd_ >= 0 && write(fd_, &microseconds, sizeof(microseconds)) ==
                            sizeof(microseconds);
  }
  ~AwakeCpus() {
    if (fd_ >= 0) close(fd_);
  }
  bool held() const { return held_; }

 private:
  int fd_;
  bool held_;
};

// A cache line's round trip between CPU 0 and CPU 1, in nanoseconds: the least
// of several groups of trips, so that being interrupted does not look like
// distance.
inline double LineRoundTrip() {
  constexpr int kGroups = 10, kTrips = 300;
  alignas(64) static std::atomic<int> line;
  line = 0;
  auto echo = [] {
    PinTo(1);
    for (int i = 0; i < kGroups * kTrips; ++i) {
      while (line.load(std::memory_order_acquire) != 2 * i + 1) {
      }
      line.store(2 * i + 2, std::memory_order_release);
    }
  };
  double least = 1e9;
  auto call = [&] {
    PinTo(0);
    for (int group = 0, i = 0; group < kGroups; ++group) {
      const int64_t start = Nanoseconds();
      for (int trip = 0; trip < kTrips; ++trip, ++i) {
        line.store(2 * i + 1, std::memory_order_release);
        while (line.load(std::memory_order_acquire) != 2 * i + 2) {
        }
      }
      least =
          std::min(least, static_cast<double>(Nanoseconds() - start) / kTrips);
    }
  };
  std::thread one(call), other(echo);
  one.join();
  other.join();
  return least;
}

// Where the CPUs were around a run: both probes must agree.
inline const char* Distance(double before, double after) {
  // About 100 ns within one last-level cache, 380 to 750 beyond it.
  constexpr double kFar = 250;
  if ((before < kFar) != (after < kFar)) return "moved";
  return before < kFar ? "near" : "far";
}

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_MACHINE_H_
