// SPDX-License-Identifier: Apache-2.0
//
// The command line of a test of the bus: how much it does, and with which seed.
// run_options.cc has the main() that reads it.
//
//   bazel test //tests/bus:all --test_arg=--seed=7     one seed, to replay it
//   bazel-bin/tests/bus/order_test --full              the figures of the docs
//
// Immutable once the tests run; any thread.

#ifndef TROLLEY_TESTS_BUS_RUN_OPTIONS_H_
#define TROLLEY_TESTS_BUS_RUN_OPTIONS_H_

#include <cstdint>
#include <optional>

namespace trolley {

struct RunOptions {
  bool full = false;
  std::optional<uint64_t> seed;  // only this one

  // How often, or how many: `quick` unless the run is a full one.
  uint64_t Scale(uint64_t quick, uint64_t in_full) const {
    return full ? in_full : quick;
  }
};

const RunOptions& GetRunOptions();

// Calls test(seed) for seeds 1 .. count, or for the one asked for, and stops at
// the first that failed, naming it and the way to run it again.
template <typename Test>
void ForEachSeed(uint64_t count, Test test);

void ReportSeed(uint64_t seed);
bool HasFailed();

template <typename Test>
void ForEachSeed(uint64_t count, Test test) {
  const std::optional<uint64_t> only = GetRunOptions().seed;
  const uint64_t first = only.value_or(1);
  const uint64_t last = only.value_or(count);
  for (uint64_t seed = first; seed <= last; ++seed) {
    test(seed);
    if (HasFailed()) return ReportSeed(seed);
  }
}

}  // namespace trolley

#endif  // TROLLEY_TESTS_BUS_RUN_OPTIONS_H_
