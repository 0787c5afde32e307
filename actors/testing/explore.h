// SPDX-License-Identifier: Apache-2.0
//
// Explore: runs the body of a test with many seeds, so in many interleavings of
// the loops. When a check fails, it looks for the shortest run that fails in
// the same way, and reports that one.
//
//   TEST(BankTest, NoMoneyIsLost) {
//     trolley::testing::Explore({.runs = 1000}, [](Choices& choices) {
//       trolley::testing::SimBus sim({.loops = 2, .choices = &choices});
//       auto bank = sim.Spawn<Bank>({.loop = 0});
//       choices.Repeat(10, [&] {
//         bank.Tell(Deposit{static_cast<int>(choices.Below(100))});
//         return true;
//       });
//       sim.RunUntilIdle();
//       EXPECT_EQ(...);
//     });
//   }
//
// The failures of other runs are not reported. What stands in the output:
//
//   1. the failures of the shortest run
//   2. its seed, what it draws, and its trace (actors/testing/run_trace.h)
//   3. the command that does all of this again
//
// A run fails in the same way if its first failure is at the same line. The
// environment variables of actors/testing/seeds.h hold here too.
//
// All that the body leaves to chance comes from its Choices. A body that fails
// once and then passes with the same choices fails the test with a text that
// says so.
//
// Ownership: keeps nothing.
// Threads:   one, that of the test. Failures of other threads are reported as
//            they come.
// Bounds:    ExploreOptions. A body that does not end is not ended.
// Ends:      after the last seed, or after the first that failed.

#ifndef TROLLEY_ACTORS_TESTING_EXPLORE_H_
#define TROLLEY_ACTORS_TESTING_EXPLORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trolley/actors/testing/choices.h"

namespace trolley::testing {

struct ExploreOptions {
  // The seeds 1 to `runs`, one run each; a count.
  uint64_t runs = 100;
  // Runs that the search for a shorter one may take; a count, 0 for no search.
  // 1000: enough for a few hundred choices.
  uint64_t most_shrinks = 1000;
  // The trace has the last lines of the run, so many; a count.
  size_t trace_lines = 200;
};

// What Explore() has done.
struct Explored {
  uint64_t seeds = 0;              // that it has run; a count
  uint64_t shrinks = 0;            // runs of the search; a count
  std::optional<uint64_t> failed;  // the seed that failed
  // The shortest run: what its body and its bus drew.
  std::vector<uint64_t> choices;
  std::vector<uint64_t> turns;
  // What was printed to standard error, but for the command.
  std::string text;
};

// Calls body(choices) for each seed. A failed check, or an exception, of `body`
// is a failure of that run; a later call of `body` may follow. An exception
// does not leave Explore().
Explored Explore(const ExploreOptions& options,
                 const std::function<void(Choices&)>& body);

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_EXPLORE_H_
