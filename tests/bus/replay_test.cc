// SPDX-License-Identifier: Apache-2.0
//
// P18, replay: with a simulated world, a seed determines what a whole bus does,
// in which order and when.

#include <cstdint>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/sim.h"

namespace trolley {
namespace {

struct Step {
  uint64_t left;
};
struct Noise {
  uint64_t number;
};
struct Question {
  uint64_t number;
};

struct Happened {
  uint64_t walker;
  uint64_t what;
  int64_t at_ns;
  friend auto operator<=>(const Happened&, const Happened&) = default;
};
using Trace = std::vector<Happened>;

// Goes from actor to actor, and asks, sleeps and floods at random. The random
// numbers are drawn in the order of events: one that comes a moment later gets
// another number.
class Walker : public Actor {
 public:
  Walker(uint64_t id, SimWorld& world, const std::vector<Ref<Walker>>& all,
         Trace& trace)
      : id_(id), world_(world), all_(all), trace_(trace) {}

  Task<> On(Step step) {
    Note(step.left);
    const Ref<Walker> next = all_[world_.random().Below(all_.size())];
    switch (world_.random().Below(4)) {
      case 0:
        co_await Sleep(absl::Nanoseconds(world_.random().Below(2000)));
        break;
      case 1:
        Note((co_await next.Ask(Question{step.left}, absl::Seconds(1)))
                 .value_or(0));
        break;
      case 2:
        for (uint64_t i = 0; i < 300; ++i) next.Tell(Noise{i});
        break;
      default:
        break;
    }
    if (step.left > 0) next.Tell(Step{step.left - 1});
  }
  void On(const Noise& noise) { Note(noise.number); }
  uint64_t On(const Question& question) {
    Note(question.number);
    return question.number + world_.random().Below(100);
  }

 private:
  void Note(uint64_t what) {
    trace_.push_back({id_, what, context().Now().nanos()});
  }

  const uint64_t id_;
  SimWorld& world_;
  const std::vector<Ref<Walker>>& all_;
  Trace& trace_;
};

Trace Play(uint64_t seed, int loops) {
  SimWorld world(seed);
  Trace trace;
  std::vector<Ref<Walker>> all;
  BusOptions options;
  options.for_tests.single_threaded = true;
  options.for_tests.sys = &world.sys();
  options.for_tests.clock = &world.clock();
  options.loops.resize(loops);
  for (LoopOptions& loop : options.loops) {
    loop.factory = [&world](Sys&, const Clock&) { return world.NewPoller(); };
  }
  const std::unique_ptr<Bus> bus = *Bus::Create(std::move(options));
  for (int i = 0; i < 6; ++i) {
    all.push_back(
        *bus->Spawn<Walker>({.loop = i % loops}, i, world, all, trace));
  }
  for (const Ref<Walker>& walker : all) walker.Tell(Step{40});
  do {
    bus->RunUntilIdle();
  } while (world.StepTime(bus->NextTimer()));
  bus->Shutdown(absl::Seconds(1));
  return trace;
}

TEST(ReplayTest, P18_TheSameSeedGivesTheSameRun) {
  for (int loops = 1; loops <= 3; ++loops) {
    std::set<Trace> traces;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const Trace once = Play(seed, loops);
      ASSERT_GT(once.size(), 100u);
      // On a thread of its own, where everything has other addresses.
      Trace again;
      std::thread([&] { again = Play(seed, loops); }).join();
      ASSERT_TRUE(once == again) << loops << " loops, seed " << seed;
      traces.insert(once);
    }
    EXPECT_EQ(traces.size(), 20u) << "the seed decides nothing";
  }
}

}  // namespace
}  // namespace trolley
