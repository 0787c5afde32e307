// SPDX-License-Identifier: Apache-2.0
//
// Setting and cancelling timers with a million of them armed: what an ask or a
// connection does with its deadline.

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/deadlines.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bus/inside.h"

namespace trolley::bench {
namespace {

class Never : public Timer {
 public:
  void OnTimer() override { Die("a timer fired early"); }
};

class Keeper : public Actor {
 public:
  struct Go {};
  Keeper(uint64_t armed, uint64_t pairs, int64_t& took,
         absl::Notification& done)
      : armed_(armed), pairs_(pairs), took_(took), done_(done) {}
  void On(Go) {
    internal::TimerQueue& queue = LoopOf(context()).timers();
    Deadlines deadlines;
    const Instant now = context().Now();
    std::vector<Never> timers(armed_);
    for (Never& timer : timers)
      queue.Set(timer, now + absl::Milliseconds(deadlines.NextMilliseconds()));
    const int64_t start = Nanoseconds();
    for (uint64_t i = 0; i < pairs_; ++i) {
      Never& timer = timers[deadlines.Pick(armed_)];
      timer.Cancel();
      queue.Set(timer, now + absl::Milliseconds(deadlines.NextMilliseconds()));
    }
    took_ = Nanoseconds() - start;
    if (queue.size() != armed_) Die("a timer was lost");
    for (Never& timer : timers) timer.Cancel();
    done_.Notify();
  }

 private:
  const uint64_t armed_;
  const uint64_t pairs_;
  int64_t& took_;
  absl::Notification& done_;
};

Figures Timers(double scale) {
  const uint64_t pairs = Scaled(kTimerPairs, scale);
  RunBus run({0});
  int64_t took = 0;
  absl::Notification done;
  auto keeper =
      run.Spawn<Keeper>(0, RunBus::kDefaultCapacity,
                        Scaled(kTimersArmed, scale), pairs, took, done);
  keeper.Tell(Keeper::Go{});
  done.WaitForNotification();
  run.Finish(1);
  return Millions(pairs, took);
}

Figures RawTimers(double scale) {
  return OnCpu0([&]() -> Figures {
    const uint64_t armed = Scaled(kTimersArmed, scale),
                   pairs = Scaled(kTimerPairs, scale);
    std::multimap<absl::Duration, uint64_t> queue;
    std::vector<decltype(queue)::iterator> timers(armed);
    Deadlines deadlines;
    for (uint64_t i = 0; i < armed; ++i) {
      timers[i] =
          queue.emplace(absl::Milliseconds(deadlines.NextMilliseconds()), i);
    }
    const int64_t start = Nanoseconds();
    for (uint64_t i = 0; i < pairs; ++i) {
      const uint64_t timer = deadlines.Pick(armed);
      queue.erase(timers[timer]);
      timers[timer] = queue.emplace(
          absl::Milliseconds(deadlines.NextMilliseconds()), timer);
    }
    const int64_t took = Nanoseconds() - start;
    if (queue.size() != armed) Die("a timer was lost");
    return Millions(pairs, took);
  });
}

}  // namespace

void AddTimers(Bench& bench) {
  bench.Add(kTimers, "raw.multimap", RawTimers);
  bench.Add(kTimers, "trolley", Timers);
}

}  // namespace trolley::bench
