// SPDX-License-Identifier: Apache-2.0
//
// What the hop through a pool costs: tells and asks to four workers by way of a
// pool, all on one loop, beside the same by hand: the sender has the Refs of
// the workers and takes one after the other.

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/pools/pool.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/bench.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/workloads.h"

namespace trolley::bench {
namespace {

constexpr int kWorkers = kPoolWorkers;
constexpr int kBurst = kPoolBurst;
constexpr uint64_t kTells = 5'000'000;
constexpr uint64_t kAsks = 1'000'000;

const Workload kPoolPulling = {
    .name = "pool_pulling", .unit = "M msg/s", .higher_is_better = true};
const Workload kPoolAsk = {
    .name = "pool_ask", .unit = "M ask/s", .higher_is_better = true};

struct Number {
  uint64_t value;
};
// After a burst: has all been handled?
struct Look {};

class Adder : public Actor {
 public:
  explicit Adder(uint64_t* count) : count_(*count) {}
  void On(const Number&) { ++count_; }

 private:
  uint64_t& count_;
};

// Tells a burst, and the next one when the workers have handled it.
template <typename To>
class Teller : public Actor {
 public:
  Teller(std::vector<Ref<To>> to, uint64_t messages, const uint64_t* handled,
         absl::Notification* done)
      : to_(std::move(to)),
        messages_(messages),
        handled_(*handled),
        done_(*done) {}
  void On(const Look&) {
    if (handled_ == messages_) return done_.Notify();
    if (handled_ == told_) {
      for (int i = 0; i < kBurst && told_ < messages_; ++i) {
        if (to_[told_ % to_.size()].Tell(Number{told_}) !=
            Delivery::kAccepted) {
          Die("a tell was refused");
        }
        ++told_;
      }
    }
    Self(this).Tell(Look{});
  }

 private:
  const std::vector<Ref<To>> to_;
  const uint64_t messages_;
  const uint64_t& handled_;
  absl::Notification& done_;
  uint64_t told_ = 0;
};

// One ask after the other.
template <typename To>
class Asker : public Actor {
 public:
  Asker(std::vector<Ref<To>> to, uint64_t asks, absl::Notification* done)
      : to_(std::move(to)), asks_(asks), done_(*done) {}
  Task<> On(Look) {
    for (uint64_t i = 0; i < asks_; ++i) {
      const absl::Status reply =
          co_await to_[i % to_.size()].Ask(Number{i}, absl::Seconds(10));
      if (!reply.ok()) Die("an ask failed: " + reply.ToString());
    }
    done_.Notify();
  }

 private:
  const std::vector<Ref<To>> to_;
  const uint64_t asks_;
  absl::Notification& done_;
};

template <typename Policy>
std::vector<Ref<Pool<Adder, Policy>>> APool(RunBus& run, uint64_t* count) {
  return {run.Spawn<Pool<Adder, Policy>>(
      0, RunBus::kDefaultCapacity, PoolOptions{.workers = kWorkers},
      [count] { return std::make_unique<Adder>(count); })};
}
std::vector<Ref<Adder>> ByHand(RunBus& run, uint64_t* count) {
  std::vector<Ref<Adder>> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.push_back(run.Spawn<Adder>(0, RunBus::kDefaultCapacity, count));
  }
  return workers;
}

template <typename To>
Figures Tells(RunBus& run, const std::vector<Ref<To>>& to, uint64_t* count,
              uint64_t messages) {
  absl::Notification done;
  const auto teller = run.Spawn<Teller<To>>(0, RunBus::kDefaultCapacity, to,
                                            messages, count, &done);
  const int64_t start = Nanoseconds();
  teller.Tell(Look{});
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(messages);
  return Millions(messages, took);
}
template <typename To>
Figures Asks(RunBus& run, const std::vector<Ref<To>>& to, uint64_t asks) {
  absl::Notification done;
  const auto asker =
      run.Spawn<Asker<To>>(0, RunBus::kDefaultCapacity, to, asks, &done);
  const int64_t start = Nanoseconds();
  asker.Tell(Look{});
  done.WaitForNotification();
  const int64_t took = Nanoseconds() - start;
  run.Finish(asks);
  return Millions(asks, took);
}

void AddTells(Bench& bench, const Workload& workload, Run with_pool) {
  bench.Add(workload, "raw.by_hand", [](double scale) {
    RunBus run({0});
    uint64_t count = 0;
    return Tells(run, ByHand(run, &count), &count, Scaled(kTells, scale));
  });
  bench.Add(workload, "trolley", std::move(with_pool));
}

template <typename Policy>
Figures TellsToPool(double scale) {
  RunBus run({0});
  uint64_t count = 0;
  return Tells(run, APool<Policy>(run, &count), &count, Scaled(kTells, scale));
}

}  // namespace

void AddPools(Bench& bench) {
  AddTells(bench, kPoolRoundRobin, &TellsToPool<RoundRobin>);
  AddTells(bench, kPoolPulling, &TellsToPool<WorkPulling>);
  bench.Add(kPoolAsk, "raw.by_hand", [](double scale) {
    RunBus run({0});
    uint64_t count = 0;
    return Asks(run, ByHand(run, &count), Scaled(kAsks, scale));
  });
  bench.Add(kPoolAsk, "trolley", [](double scale) {
    RunBus run({0});
    uint64_t count = 0;
    return Asks(run, APool<RoundRobin>(run, &count), Scaled(kAsks, scale));
  });
}

}  // namespace trolley::bench

int main(int argc, char** argv) {
  trolley::bench::Bench bench;
  trolley::bench::AddPools(bench);
  return bench.Main(argc, argv);
}
