// SPDX-License-Identifier: Apache-2.0
//
// What a quiet actor notices of a neighbour on its loop that never has less
// than kFlood messages to handle: how long an ask to it takes.

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

constexpr uint64_t kAsks = 2'000;

class Flooded : public Actor {
 public:
  struct Again {};
  explicit Flooded(const std::atomic<bool>& over) : over_(over) {}
  void OnStart() override {
    for (int i = 0; i < kFlood; ++i) Self(this).Tell(Again{});
  }
  void On(Again) {
    WorkAMicrosecond();
    if (!over_) Self(this).Tell(Again{});
  }

 private:
  const std::atomic<bool>& over_;
};

class Quiet : public Actor {
 public:
  struct Question {};
  int On(Question) { return 1; }
};

class Prober : public Actor {
 public:
  struct Go {};
  Prober(Ref<Quiet> quiet, std::vector<double>& times, absl::Notification& done)
      : quiet_(std::move(quiet)), times_(times), done_(done) {}
  Task<absl::Status> On(Go) {
    for (double& time : times_) {
      const int64_t start = Nanoseconds();
      absl::StatusOr<int> reply =
          co_await quiet_.Ask(Quiet::Question{}, absl::Seconds(10));
      if (!reply.ok()) Die(reply.status().ToString());
      time = static_cast<double>(Nanoseconds() - start);
    }
    done_.Notify();
    co_return absl::OkStatus();
  }

 private:
  const Ref<Quiet> quiet_;
  std::vector<double>& times_;
  absl::Notification& done_;
};

Figures FloodedQuiet(double scale) {
  std::vector<double> times(Scaled(kAsks, scale));
  RunBus run({0, 1});
  std::atomic<bool> over = false;
  absl::Notification done;
  run.Spawn<Flooded>(0, RunBus::kDefaultCapacity, over);
  auto quiet = run.Spawn<Quiet>(0, RunBus::kDefaultCapacity);
  auto prober =
      run.Spawn<Prober>(1, RunBus::kDefaultCapacity, quiet, times, done);
  prober.Tell(Prober::Go{});
  done.WaitForNotification();
  over = true;
  run.Finish(times.size());
  return Percentiles(std::move(times));
}

// One queue for all: what comes waits behind what is there.
Figures RawFifo(double scale) {
  return OnCpu0([&]() -> Figures {
    std::vector<double> times(Scaled(kAsks, scale) / 10 + 1);
    std::deque<bool> queue(kFlood, false);
    size_t asked = 0;
    int64_t start = Nanoseconds();
    queue.push_back(true);
    while (asked < times.size()) {
      const bool quiet = queue.front();
      queue.pop_front();
      if (quiet) {
        times[asked++] = static_cast<double>(Nanoseconds() - start);
        start = Nanoseconds();
      } else {
        WorkAMicrosecond();
      }
      queue.push_back(quiet);
    }
    return Percentiles(std::move(times));
  });
}

}  // namespace

void AddQuiet(Bench& bench) {
  bench.Add(kFloodedQuiet, "raw.fifo", RawFifo);
  bench.Add(kFloodedQuiet, "trolley", FloodedQuiet);
}

}  // namespace trolley::bench
