// SPDX-License-Identifier: Apache-2.0
//
// ForEachSeed: runs the body of a test once for each seed, and says how to run
// a seed again that failed.
//
//   TEST(BankTest, NoMoneyIsLost) {
//     trolley::testing::ForEachSeed(100, [](uint64_t seed) {
//       trolley::testing::SimBus sim({.loops = 2, .seed = seed});
//       ...
//     });
//   }
//
// Two environment variables, for the person who runs the test:
//
//   TROLLEY_SEED    run only this seed
//   TROLLEY_SEEDS   run so many seeds, whatever the test says
//
// A value that is not a decimal number, or a TROLLEY_SEEDS of 0, is a failure
// of the test.
//
// Ownership: keeps nothing.
// Threads:   the thread of the test.
// Bounds:    the count.
// Ends:      after the last seed, or after the first that failed.

#ifndef TROLLEY_ACTORS_TESTING_SEEDS_H_
#define TROLLEY_ACTORS_TESTING_SEEDS_H_

#include <cstdint>
#include <functional>
#include <string>

namespace trolley::testing {

// Calls body(seed) for the seeds 1 to `count`. Stops after the first call that
// adds a failure to the test, and prints its seed and its ReplayLine() to
// standard error. Returns the number of calls.
uint64_t ForEachSeed(uint64_t count, const std::function<void(uint64_t)>& body);

// The seeds that a test for `count` seeds runs; the environment may change
// them. None to run fails the test.
struct SeedRange {
  uint64_t first = 1;
  uint64_t count = 0;
};
SeedRange SeedsToRun(uint64_t count);

// TROLLEY_SEED, or 1 if it is not set.
uint64_t DefaultSeed();

// A shell command that runs the current test again with `seed`.
std::string ReplayLine(uint64_t seed);

// How many failures the current test has; 0 outside of a test.
int CountFailures();

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_SEEDS_H_
