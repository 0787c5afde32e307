// SPDX-License-Identifier: Apache-2.0
//
// SimWorld: a simulated world for a test, in memory and on one thread. It has a
// clock that jumps, system calls that do not reach the kernel, and pollers that
// do not really wait. One seed makes all random choices: the order of events,
// how many a Wait returns, which calls fail. So the same program with the same
// seed gives the same trace.
//
//   SimWorld world(/*seed=*/7);
//   auto poller = world.NewPoller();
//   world.At(world.clock().Now() + absl::Seconds(1), [&] { ...write... });
//   poller->Wait(events, Instant::Infinite());   // returns one second later
//
// When nothing is ready, a Wait does this:
//   1. It calls the idle hook, if there is one. If that returns true, it looks
//      for ready descriptors again.
//   2. If an action of At() is due by the deadline, it moves the clock to it,
//      runs it and looks again.
//   3. If there is a deadline, it moves the clock there and returns.
//   4. Otherwise it returns FailedPrecondition, because nothing can happen any
//      more. If the program under test has not stopped itself, a wake was lost;
//      the test learns that at once instead of hanging.
//
// Several loops on one thread: run a turn of each loop from the idle hook. Or
// run them in turns with deadlines in the past, and move the clock by
// StepTime().
//
// Ownership: owns the clock, the system calls and the actions. It outlives its
//            pollers.
// Threads:   one thread, except Poller::Wake and Clock::Now, which any thread
//            may call.
// Bounds:    SimSysOptions. The test bounds the number of actions.

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
#include "trolley/poller/sim/sim_clock.h"
#include "trolley/poller/sim/sim_random.h"
#include "trolley/poller/sim/sim_sys.h"

namespace trolley {

// The parts of a simulated world; each header has its contract.
using internal::SimClock;
using internal::SimRandom;
using internal::SimSys;
using internal::SimSysOptions;

class SimWorld {
 public:
  explicit SimWorld(uint64_t seed, const SimSysOptions& options = {});

  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  uint64_t seed() const { return seed_; }
  SimClock& clock() { return clock_; }
  SimSys& sys() { return sys_; }
  SimRandom& random() { return random_; }

  // Makes a poller for this world's descriptors. Never null.
  std::unique_ptr<Poller> NewPoller();

  // Runs `action` when the clock reaches `at`, inside the Wait or StepTime()
  // that moves the clock. If `at` is in the past, the next Wait that finds
  // nothing ready, or the next StepTime(), runs it. At Instant::Infinite() it
  // never runs. Actions for the same time run in the order of the calls.
  void At(Instant at, std::function<void()> action);

  // Sets the hook that a Wait calls when nothing is ready, before it moves the
  // clock. If the hook returns true, the Wait looks again. The hook must not
  // wait on the same poller.
  void SetIdleHook(std::function<bool()> hook) { idle_hook_ = std::move(hook); }

  // Moves the clock to the next action that is due by `limit` and runs it. If
  // there is none, moves the clock to `limit`. Returns false, and does nothing,
  // if there is no action and the limit is infinite.
  bool StepTime(Instant limit);

  // A hash of the trace: which events each Wait of each poller reported, in
  // which order and at which times. Runs with the same trace have the same
  // hash.
  uint64_t trace_hash() const { return trace_hash_; }

  // For pollers: adds an event to the trace.
  void Trace(uint64_t poller, Token token, Ready ready);
  // For pollers: does steps 1 to 3 above. False means step 4.
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
