// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/seeds.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley::testing {
namespace {

// The environment of each test, whatever the one of the process is.
class SeedsTest : public ::testing::Test {
 protected:
  SeedsTest() {
    unsetenv("TROLLEY_SEED");
    unsetenv("TROLLEY_SEEDS");
  }
  ~SeedsTest() override {
    unsetenv("TROLLEY_SEED");
    unsetenv("TROLLEY_SEEDS");
  }

  static std::vector<uint64_t> SeedsOf(uint64_t count) {
    std::vector<uint64_t> seeds;
    const uint64_t calls =
        ForEachSeed(count, [&](uint64_t seed) { seeds.push_back(seed); });
    EXPECT_EQ(calls, seeds.size());
    return seeds;
  }
};
using SeedsDeathTest = SeedsTest;

TEST_F(SeedsTest, RunsTheSeedsFromOneToTheCount) {
  EXPECT_EQ(SeedsOf(3), (std::vector<uint64_t>{1, 2, 3}));
}

TEST_F(SeedsTest, TheEnvironmentOverridesTheCount) {
  setenv("TROLLEY_SEEDS", "2", 1);
  EXPECT_EQ(SeedsOf(3), (std::vector<uint64_t>{1, 2}));
}

TEST_F(SeedsTest, TheEnvironmentChoosesOneSeed) {
  setenv("TROLLEY_SEED", "17", 1);
  setenv("TROLLEY_SEEDS", "5", 1);
  EXPECT_EQ(SeedsOf(3), (std::vector<uint64_t>{17}));
  setenv("TROLLEY_SEED", "18446744073709551615", 1);
  EXPECT_EQ(SeedsOf(3), (std::vector<uint64_t>{UINT64_MAX}));
}

TEST_F(SeedsTest, ABusHasTheSeedOfTheEnvironmentOrOne) {
  EXPECT_EQ(SimBus().seed(), 1u);
  setenv("TROLLEY_SEED", "9", 1);
  EXPECT_EQ(SimBus().seed(), 9u);
  EXPECT_EQ(SimBus({.seed = 4}).seed(), 4u);
}

TEST_F(SeedsTest, NoSeedAtAllFailsTheTest) {
  EXPECT_NONFATAL_FAILURE(SeedsOf(0), "no seed");
  setenv("TROLLEY_SEEDS", "0", 1);
  EXPECT_NONFATAL_FAILURE(SeedsOf(3), "no seed");
}

TEST_F(SeedsTest, AnEnvironmentThatIsNoNumberFailsTheTest) {
  setenv("TROLLEY_SEED", "many", 1);
  EXPECT_NONFATAL_FAILURE(DefaultSeed(), "TROLLEY_SEED is \"many\"");
  unsetenv("TROLLEY_SEED");
  setenv("TROLLEY_SEEDS", "-1", 1);
  EXPECT_NONFATAL_FAILURE(SeedsOf(2), "TROLLEY_SEEDS is \"-1\"");
}

// A child process, because the failure must be one of the test.
TEST_F(SeedsDeathTest, StopsAtTheFirstSeedThatFailsAndSaysHowToRunItAgain) {
  EXPECT_EXIT(
      {
        const uint64_t calls = ForEachSeed(10, [](uint64_t seed) {
          if (seed == 3) ADD_FAILURE() << "on purpose, in a child process";
        });
        std::exit(calls == 3 ? 0 : 1);
      },
      ::testing::ExitedWithCode(0),
      "seed 3 failed; run it again by: .*TROLLEY_SEED=3.*"
      "SeedsDeathTest.StopsAtTheFirstSeed");
}

TEST_F(SeedsDeathTest, AFailureOfBeforeDoesNotStopTheSeeds) {
  EXPECT_EXIT(
      {
        ADD_FAILURE() << "on purpose, in a child process";
        std::exit(SeedsOf(4).size() == 4 ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(SeedsTest, TheReplayLineNamesTheTargetIfBazelRunsTheTest) {
  const char* const target = std::getenv("TEST_TARGET");
  const std::string before = target == nullptr ? "" : target;
  setenv("TEST_TARGET", "//a:b_test", 1);
  EXPECT_EQ(ReplayLine(5),
            "bazel test //a:b_test --test_env=TROLLEY_SEED=5 --test_filter="
            "'SeedsTest.TheReplayLineNamesTheTargetIfBazelRunsTheTest'");
  unsetenv("TEST_TARGET");
  EXPECT_EQ(ReplayLine(5),
            std::string("TROLLEY_SEED=5 ") + program_invocation_name +
                " --gtest_filter="
                "'SeedsTest.TheReplayLineNamesTheTargetIfBazelRunsTheTest'");
  if (target != nullptr) setenv("TEST_TARGET", before.c_str(), 1);
}

}  // namespace
}  // namespace trolley::testing
