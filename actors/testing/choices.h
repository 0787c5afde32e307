// SPDX-License-Identifier: Apache-2.0
//
// Choices: all that is left to chance in one run of a test. It records each
// draw, so that Explore() (actors/testing/explore.h) can run the test again
// with fewer and smaller ones.
//
//   void Body(Choices& choices) {
//     SimBus sim({.loops = 2, .choices = &choices});
//     auto account = sim.Spawn<Account>({}, choices.Below(100));
//     choices.Repeat(20, [&] {
//       account.Tell(Deposit{static_cast<int64_t>(choices.Below(10))});
//       return true;
//     });
//   }
//
// Draw so that 0 is the simplest value: Explore() looks for a failing run with
// few draws and small ones. A body must end whatever it draws.
//
// Ownership: Explore() makes one for each run. A SimBus borrows it.
// Threads:   one, that of the test.
// Bounds:    kMostRecorded draws of the body, and as many of the bus. Later
//            draws are 0.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_TESTING_CHOICES_H_
#define TROLLEY_ACTORS_TESTING_CHOICES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "trolley/actors/testing/internal/recorded_choices.h"
#include "trolley/poller/sim.h"

namespace trolley::testing {

class RunTrace;

class Choices {
 public:
  static constexpr size_t kMostRecorded = size_t{1} << 20;

  // Draws from `seed`.
  explicit Choices(uint64_t seed);
  // Draws the numbers of `given`, and 0 where they have ended. A number that is
  // too large for its draw counts as the largest that is allowed.
  Choices(uint64_t seed, internal::RecordedChoices given);
  Choices(const Choices&) = delete;
  Choices& operator=(const Choices&) = delete;

  uint64_t seed() const { return seed_; }

  // A number from 0 to bound - 1. A `bound` of 0 counts as 1.
  uint64_t Below(uint64_t bound) {
    return Draw(given_.values, random_, recorded_.values, bound);
  }

  // Calls element() up to `most` times, and ends when it returns false. How
  // often is drawn. Explore() leaves out elements that a failure does not need,
  // so what belongs together is drawn in one element.
  template <typename F>
  void Repeat(uint64_t most, F element) {
    for (uint64_t left = most; left > 0; --left) {
      const size_t begin = recorded_.values.size();
      // Each number of elements is as likely as any other.
      if (Below(std::max(left, left + 1)) == 0) return;
      const size_t index = recorded_.elements.size();
      recorded_.elements.push_back({begin, begin});
      const bool go_on = element();
      recorded_.elements[index].end = recorded_.values.size();
      if (!go_on) return;
    }
  }

  // True: a check has failed since this run began. A body may end then.
  bool failed() const { return failed_(); }

  // The trace of this run; null: none is kept. For SimBus.
  RunTrace* trace() const { return trace_; }
  // As Below(), of a list of its own. For SimBus, which draws the turns of the
  // loops: so a shorter body does not change those that it has left.
  uint64_t DrawTurn(uint64_t bound) {
    return Draw(given_.turns, turn_random_, recorded_.turns, bound);
  }

  // What was drawn so far.
  const internal::RecordedChoices& recorded() const { return recorded_; }
  // For Explore(): how failed() and trace() know.
  void Observe(std::function<bool()> failed, RunTrace* trace) {
    failed_ = std::move(failed);
    trace_ = trace;
  }

 private:
  uint64_t Draw(const std::vector<uint64_t>& given, SimRandom& random,
                std::vector<uint64_t>& drawn, uint64_t bound) const;

  const uint64_t seed_;
  const bool replays_;
  const internal::RecordedChoices given_;
  SimRandom random_;
  SimRandom turn_random_;
  internal::RecordedChoices recorded_;
  std::function<bool()> failed_;
  RunTrace* trace_ = nullptr;
};

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_CHOICES_H_
