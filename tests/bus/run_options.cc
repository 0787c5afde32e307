// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/bus/run_options.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "gtest/gtest.h"

namespace trolley {
namespace {

RunOptions run_options;

}  // namespace

const RunOptions& GetRunOptions() { return run_options; }

bool HasFailed() { return testing::Test::HasFailure(); }

void ReportSeed(uint64_t seed) {
  ADD_FAILURE()
      << "that was seed " << seed << "; again: --seed=" << seed
      << " --gtest_filter="
      << testing::UnitTest::GetInstance()
             ->current_test_info()
             ->test_suite_name()
      << "." << testing::UnitTest::GetInstance()->current_test_info()->name();
}

}  // namespace trolley

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr char kSeed[] = "--seed=";
  constexpr size_t kSeedLength = sizeof(kSeed) - 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--full") == 0) {
      trolley::run_options.full = true;
    } else if (std::strncmp(argv[i], kSeed, kSeedLength) == 0) {
      trolley::run_options.seed =
          std::strtoull(argv[i] + kSeedLength, nullptr, 10);
    } else {
      std::fprintf(stderr, "usage: %s [--full] [--seed=N]\n", argv[0]);
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
