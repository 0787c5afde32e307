// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/seeds.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace trolley::testing {
namespace {

// The number in the environment variable `name`; nullopt if it is not set.
std::optional<uint64_t> FromEnvironment(const char* name) {
  const char* const text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  uint64_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  ADD_FAILURE() << name << " is \"" << text << "\", which is not a number";
  return std::nullopt;
}

}  // namespace

SeedRange SeedsToRun(uint64_t count) {
  if (const std::optional<uint64_t> only = FromEnvironment("TROLLEY_SEED")) {
    return {.first = *only, .count = 1};
  }
  count = FromEnvironment("TROLLEY_SEEDS").value_or(count);
  // A run without a seed tests nothing.
  if (count == 0) ADD_FAILURE() << "there is no seed to run";
  return {.first = 1, .count = count};
}

uint64_t ForEachSeed(uint64_t count,
                     const std::function<void(uint64_t)>& body) {
  const SeedRange seeds = SeedsToRun(count);
  for (uint64_t i = 0; i < seeds.count; ++i) {
    const uint64_t seed = seeds.first + i;
    const int failures = CountFailures();
    body(seed);
    if (CountFailures() == failures) continue;
    std::fprintf(stderr, "seed %" PRIu64 " failed; run it again by: %s\n", seed,
                 ReplayLine(seed).c_str());
    return i + 1;
  }
  return seeds.count;
}

uint64_t DefaultSeed() { return FromEnvironment("TROLLEY_SEED").value_or(1); }

std::string ReplayLine(uint64_t seed) {
  const ::testing::TestInfo* const test =
      ::testing::UnitTest::GetInstance()->current_test_info();
  const std::string filter =
      test == nullptr
          ? "*"
          : absl::StrCat(test->test_suite_name(), ".", test->name());
  // Set by "bazel test". Bazel gives a test no variable but those of
  // --test_env.
  if (const char* const target = std::getenv("TEST_TARGET")) {
    return absl::StrCat("bazel test ", target,
                        " --test_env=TROLLEY_SEED=", seed, " --test_filter='",
                        filter, "'");
  }
  return absl::StrCat("TROLLEY_SEED=", seed, " ", program_invocation_name,
                      " --gtest_filter='", filter, "'");
}

int CountFailures() {
  const ::testing::TestInfo* const test =
      ::testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return 0;
  const ::testing::TestResult& result = *test->result();
  int failures = 0;
  for (int i = 0; i < result.total_part_count(); ++i) {
    failures += result.GetTestPartResult(i).failed();
  }
  return failures;
}

}  // namespace trolley::testing
