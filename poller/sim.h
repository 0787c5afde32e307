// SPDX-License-Identifier: Apache-2.0
//
// SimWorld: a whole world for a test, in memory and on one thread: a clock that
// jumps, system calls that touch no kernel, and pollers that wait without
// waiting. One seed decides everything that chance decides (the order of events
// in a batch, how many of them come at a time, which calls fail), so the same
// seed and the same program give the same trace.
//
//   SimWorld world(/*seed=*/7);
//   auto poller = world.NewPoller();
//   world.At(world.clock().Now() + absl::Seconds(1), [&] { ...write... });
//   poller->Wait(events, Instant::Infinite());   // returns one second later
//
// What a Wait does when nothing is ready, in this order:
//   1. calls the idle hook, if there is one, and looks again if it says true;
//   2. jumps to the next action of At() that is due by the deadline, runs it
//      and looks again;
//   3. jumps to the deadline and returns;
//   4. without a deadline, returns FailedPrecondition: nothing can happen any
//      more. A test that meant to stop has its program stop; a test that did
//      not has found a lost wake, and says so at once instead of hanging.
//
// Several loops on one thread: run each loop's turn from the idle hook, or turn
// by turn with deadlines in the past, and move the clock by StepTime().
//
// Ownership: owns clock, system calls and the actions; outlives its pollers.
// Threads:   one thread, for everything but Poller::Wake and Clock::Now.
// Bounds:    SimSysOptions; actions are the test's.

#ifndef TROLLEY_POLLER_SIM_H_
#define TROLLEY_POLLER_SIM_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "trolley/poller/event.h"
#include "trolley/poller/instant.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/sim_clock.h"
#include "trolley/poller/sim_random.h"
#include "trolley/poller/sim_sys.h"

namespace trolley {

class SimWorld {
 public:
  explicit SimWorld(uint64_t seed, const SimSysOptions& options = {});

  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  uint64_t seed() const { return seed_; }
  SimClock& clock() { return clock_; }
  SimSys& sys() { return sys_; }
  SimRandom& random() { return random_; }

  // A poller over this world's descriptors. Never null.
  std::unique_ptr<Poller> NewPoller();

  // Runs `action` when the clock reaches `at`, inside the Wait or StepTime()
  // that moves it there; one in the past runs at the next chance, one for
  // Instant::Infinite() never. Actions of the same time run in the order in
  // which they were given.
  void At(Instant at, std::function<void()> action);

  // Called each time a Wait finds nothing ready, before time moves. It may do
  // anything but wait on the same poller; true means "look again".
  void SetIdleHook(std::function<bool()> hook) { idle_hook_ = std::move(hook); }

  // Moves the clock to the next action that is due by `limit` and runs it, or
  // else to `limit`. False: there is no action, and the limit is infinite.
  bool StepTime(Instant limit);

  // A number that two runs share only when each Wait of each poller reported
  // the same things in the same order at the same times.
  uint64_t trace_hash() const { return trace_hash_; }

  // For pollers. Adds to the trace.
  void Trace(uint64_t poller, Token token, Ready ready);
  // For pollers. Steps 1 to 3 above; false is step 4.
  bool Idle(Instant deadline);

 private:
  const uint64_t seed_;
  SimClock clock_;
  SimSys sys_;
  SimRandom random_;
  uint64_t pollers_made_ = 0;
  uint64_t actions_made_ = 0;
  std::map<std::pair<int64_t, uint64_t>, std::function<void()>> actions_;
  std::function<bool()> idle_hook_;
  uint64_t trace_hash_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_SIM_H_
