// SPDX-License-Identifier: Apache-2.0
//
// Setting and cancelling timers with a million of them armed: what an ask or a
// connection does with its deadline.

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "tests/bench/bus/run_bus.h"
#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

constexpr uint64_t kArmed = 1'000'000;
constexpr uint64_t kPairs = 2'000'000;

// Deadlines from 10 to 70 s ahead, in no order.
class Deadlines {
 public:
  absl::Duration Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return absl::Milliseconds(10'000 + (state_ >> 33) % 60'000);
  }
  // Which timer is next.
  uint64_t Pick(uint64_t of) { return (state_ >> 20) % of; }

 private:
  uint64_t state_ = 1;
};

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
    TimerQueue& queue = loop().timers();
    Deadlines deadlines;
    const Instant now = loop().Now();
    std::vector<Never> timers(armed_);
    for (Never& timer : timers) queue.Set(timer, now + deadlines.Next());
    const int64_t start = Nanoseconds();
    for (uint64_t i = 0; i < pairs_; ++i) {
      Never& timer = timers[deadlines.Pick(armed_)];
      timer.Cancel();
      queue.Set(timer, now + deadlines.Next());
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
  const uint64_t pairs = Scaled(kPairs, scale);
  RunBus run({0});
  int64_t took = 0;
  absl::Notification done;
  auto keeper = run.Spawn<Keeper>(0, RunBus::kDefaultCapacity,
                                  Scaled(kArmed, scale), pairs, took, done);
  keeper.Tell(Keeper::Go{});
  done.WaitForNotification();
  run.Finish(1);
  return Millions(pairs, took);
}

Figures RawTimers(double scale) {
  return OnCpu0([&]() -> Figures {
    const uint64_t armed = Scaled(kArmed, scale), pairs = Scaled(kPairs, scale);
    std::multimap<absl::Duration, uint64_t> queue;
    std::vector<decltype(queue)::iterator> timers(armed);
    Deadlines deadlines;
    for (uint64_t i = 0; i < armed; ++i) {
      timers[i] = queue.emplace(deadlines.Next(), i);
    }
    const int64_t start = Nanoseconds();
    for (uint64_t i = 0; i < pairs; ++i) {
      const uint64_t timer = deadlines.Pick(armed);
      queue.erase(timers[timer]);
      timers[timer] = queue.emplace(deadlines.Next(), timer);
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
