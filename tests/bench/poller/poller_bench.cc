// SPDX-License-Identifier: Apache-2.0
//
// Each poller of ours over n pipes with k bytes in them, beside a bare loop
// over the same system calls. Ours are asked for edges where they have them, as
// actors/stream.h does.

#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "tests/bench/poller/raw_pollers.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/pollers.h"
#include "trolley/poller/sys.h"
#include "trolley/tests/bench/lib/pipes.h"

namespace trolley::bench {
namespace {

class Ours {
 public:
  Ours(Pipes& pipes, std::string name)
      : pipes_(pipes), events_(kEventsPerWait) {
    auto poller = CreatePoller(name, RealSys(), MonotonicClock());
    if (!poller.ok()) Die(poller.status().ToString());
    poller_ = *std::move(poller);
    interest_ = {.ready = Ready::kReadable,
                 .trigger = poller_->capabilities().edge ? Trigger::kEdge
                                                         : Trigger::kLevel};
  }
  void Add(int i) { Check(poller_->Add(pipes_.fd(i), TokenOf(i), interest_)); }
  void Remove(int i) { Check(poller_->Remove(pipes_.fd(i), TokenOf(i))); }
  void Run() {
    while (!pipes_.done()) Wait(Instant::Infinite());
  }
  void Look() { Wait(Instant()); }

 private:
  static void Check(const absl::Status& status) {
    if (!status.ok()) Die(status.ToString());
  }
  static Token TokenOf(int i) {
    return {.slot = static_cast<uint32_t>(i), .generation = 1};
  }
  void Wait(Instant deadline) {
    absl::StatusOr<WaitResult> result =
        poller_->Wait(absl::MakeSpan(events_), deadline);
    Check(result.status());
    for (size_t e = 0; e < result->events; ++e) {
      pipes_.Forward(static_cast<int>(events_[e].token.slot));
    }
  }

  Pipes& pipes_;
  std::unique_ptr<Poller> poller_;
  Interest interest_;
  std::vector<Event> events_;
};

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  constexpr int kMany = 10'000, kSelectable = 1000;
  Bench bench;
  auto ours = [&bench](const char* name, WaitCost cost, int most) {
    auto poller = trolley::CreatePoller(name, trolley::RealSys(),
                                        trolley::MonotonicClock());
    if (poller.ok()) {
      AddPipes<Ours>(bench, name, cost, most, "trolley", std::string(name));
    }
  };
  AddPipes<RawEpoll>(bench, "epoll", WaitCost::kConstant, kMany,
                     "raw.epoll_edge", true);
  AddPipes<RawEpoll>(bench, "epoll", WaitCost::kConstant, kMany,
                     "raw.epoll_level", false);
  ours("epoll", WaitCost::kConstant, kMany);
  AddPipes<RawUring>(bench, "io_uring", WaitCost::kConstant, kMany,
                     "raw.io_uring");
  ours("io_uring", WaitCost::kConstant, kMany);
  AddPipes<RawPoll>(bench, "poll", WaitCost::kScans, kMany, "raw.poll");
  ours("poll", WaitCost::kScans, kMany);
  AddPipes<RawSelect>(bench, "select", WaitCost::kScans, kSelectable,
                      "raw.select");
  ours("select", WaitCost::kScans, kSelectable);
  AddPipes<RawSweep>(bench, "busy", WaitCost::kCallForEach, kMany,
                     "raw.read_sweep");
  ours("busy", WaitCost::kCallForEach, kMany);
  ours("sigio", WaitCost::kConstant, kSelectable);
  return bench.Main(argc, argv);
}
