// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/bus/stream.h"

#include "tests/bench/bus/workloads.h"

namespace trolley::bench {
namespace {

struct Number {
  uint64_t value;
};

class Sink : public Actor {
 public:
  Sink(uint64_t messages, uint64_t& sum, int64_t& end, absl::Notification& done)
      : left_(messages), sum_(sum), end_(end), done_(done) {}
  void On(const Number& m) {
    sum_ += m.value;
    if (--left_ > 0) return;
    end_ = Nanoseconds();
    done_.Notify();
  }

 private:
  uint64_t left_;
  uint64_t& sum_;
  int64_t& end_;
  absl::Notification& done_;
};

class Source : public Actor {
 public:
  struct Go {};
  Source(uint64_t messages, Ref<Sink> sink)
      : messages_(messages), sink_(std::move(sink)) {}
  Task<absl::Status> On(Go) {
    for (uint64_t i = 1; i <= messages_; ++i) {
      if (sink_.Tell(Number{i}) == Delivery::kAccepted) continue;
      absl::Status sent = co_await sink_.Send(Number{i});
      if (!sent.ok()) co_return sent;
    }
    co_return absl::OkStatus();
  }

 private:
  const uint64_t messages_;
  const Ref<Sink> sink_;
};

}  // namespace

Figures StreamOverBus(std::vector<int> cpus, uint64_t messages) {
  const int senders = static_cast<int>(cpus.size()) - 1;
  RunBus run(std::move(cpus));
  uint64_t sum = 0;
  int64_t end = 0;
  absl::Notification done;
  auto sink = run.Spawn<Sink>(0, kWindow, messages * senders, sum, end, done);
  std::vector<Ref<Source>> sources;
  for (int s = 1; s <= senders; ++s) {
    sources.push_back(
        run.Spawn<Source>(s, RunBus::kDefaultCapacity, messages, sink));
  }
  const int64_t start = Nanoseconds();
  for (const auto& source : sources) source.Tell(Source::Go{});
  done.WaitForNotification();
  run.Finish(messages * senders);
  CheckSum(sum, messages, senders);
  return Millions(messages * senders, end - start);
}

}  // namespace trolley::bench
