// SPDX-License-Identifier: Apache-2.0
//
// One message between two loops: how long a round trip takes, sleeping and
// spinning.

#include <cstdint>
#include <utility>
#include <vector>

#include "tests/bench/bus/workloads.h"
#include "trolley/tests/bench/bus/run_bus.h"
#include "trolley/tests/bench/lib/machine.h"
#include "trolley/tests/bench/lib/ping_pong.h"
#include "trolley/tests/bench/lib/raw.h"

namespace trolley::bench {
namespace {

constexpr uint64_t kBlockingTrips = 20'000;
constexpr uint64_t kSpinningTrips = 100'000;

class Caller;

class Echo : public Actor {
 public:
  struct Ping {
    Ref<Caller> from;
  };
  void On(const Ping& m);
};

class Caller : public Actor {
 public:
  struct Pong {};
  Caller(Ref<Echo> echo, std::vector<double>& times, absl::Notification& done)
      : echo_(std::move(echo)), times_(times), done_(done) {}
  void OnStart() override {
    self_ = Self(this);
    Serve();
  }
  void On(Pong) {
    times_[trips_++] = static_cast<double>(Nanoseconds() - start_);
    if (trips_ == times_.size()) return done_.Notify();
    Serve();
  }

 private:
  void Serve() {
    start_ = Nanoseconds();
    echo_.Tell(Echo::Ping{self_});
  }

  Ref<Echo> echo_;
  Ref<Caller> self_;
  std::vector<double>& times_;
  absl::Notification& done_;
  uint64_t trips_ = 0;
  int64_t start_ = 0;
};

void Echo::On(const Ping& m) { m.from.Tell(Caller::Pong{}); }

Figures PingPong(uint64_t trips, absl::Duration spin) {
  RunBus run({0, 1}, spin);
  std::vector<double> times(trips);
  absl::Notification done;
  auto echo = run.Spawn<Echo>(0, RunBus::kDefaultCapacity);
  run.Spawn<Caller>(1, RunBus::kDefaultCapacity, echo, times, done);
  done.WaitForNotification();
  run.Finish(2 * trips);
  return Percentiles(std::move(times));
}

template <class Signal>
void AddRaw(Bench& bench, const Workload& workload, const char* who,
            uint64_t trips) {
  bench.Add(workload, who, [trips](double scale) {
    return PingPongOver<Signal>(Scaled(trips, scale));
  });
}

}  // namespace

void AddCross(Bench& bench) {
  const Workload& block = kCrossPingPongBlock;
  AddRaw<EventFdAndEpoll>(bench, block, "raw.eventfd_epoll", kBlockingTrips);
  AddRaw<Futex>(bench, block, "raw.futex", kBlockingTrips);
  bench.Add(block, "trolley", [](double scale) {
    return PingPong(Scaled(kBlockingTrips, scale), absl::ZeroDuration());
  });
  const Workload& spin = kCrossPingPongSpin;
  AddRaw<SpinningMailbox>(bench, spin, "raw.mailbox", kSpinningTrips);
  AddRaw<SpinningLine>(bench, spin, "raw.cache_line", kSpinningTrips);
  bench.Add(spin, "trolley", [](double scale) {
    return PingPong(Scaled(kSpinningTrips, scale),
                    absl::Microseconds(kSpinMicroseconds));
  });
}

}  // namespace trolley::bench
