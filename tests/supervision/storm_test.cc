// SPDX-License-Identifier: Apache-2.0
//
// Random crashes in a tree, with random strategies, budgets, loops and starts.
// In the end each child is up again, or its supervisor has escalated; no
// message was handled twice, and the ledger balances.
//
//   storm_test           small trees, 300 crashes each
//   storm_test_full      a tree of 1,000 actors, 100,000 crashes

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/poller/sim.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley {
namespace {

struct Crash {};
struct Work {
  uint64_t number;
};

struct Shape {
  uint64_t trees, groups, workers;  // of the root, of a tree, of a group
  uint64_t crashes;
  uint64_t actors() const {
    return 1 + trees + trees * groups + trees * groups * workers;
  }
};

// What all workers of a storm share.
struct Weather {
  explicit Weather(uint64_t seed) : random(seed) {}

  SimRandom random;
  uint64_t crashes = 0;       // exceptions of handlers and of starts
  int64_t objects = 0;        // that exist
  bool is_over = false;       // no start fails any more
  std::vector<bool> handled;  // by Work::number
  uint64_t handled_twice = 0;
  uint64_t on_wrong_loop = 0;
};

class StormWorker : public Actor {
 public:
  StormWorker(Weather* weather, int loop) : weather_(*weather), loop_(loop) {
    ++weather_.objects;
  }
  ~StormWorker() override { --weather_.objects; }

  Task<absl::Status> OnStartTask() {
    if (weather_.random.Chance(200)) co_await Sleep(Pause());
    if (!weather_.is_over && weather_.random.Chance(5)) {
      ++weather_.crashes;
      co_return absl::DataLossError("a start that fails");
    }
    co_return absl::OkStatus();
  }

  void On(const Crash&) {
    ++weather_.crashes;
    throw std::runtime_error("a crash of the storm");
  }
  Task<> On(Work m) {
    if (weather_.handled.size() <= m.number) {
      weather_.handled.resize(m.number + 1);
    }
    if (weather_.handled[m.number]) ++weather_.handled_twice;
    weather_.handled[m.number] = true;
    if (weather_.random.Chance(100)) co_await Sleep(Pause());
  }

 protected:
  void OnStart() override {
    if (context().loop_index() != loop_) ++weather_.on_wrong_loop;
    if (!weather_.is_over && weather_.random.Chance(5)) {
      ++weather_.crashes;
      throw std::runtime_error("a start that throws");
    }
  }

 private:
  absl::Duration Pause() {
    return absl::Milliseconds(weather_.random.Below(50));
  }

  Weather& weather_;
  const int loop_;
};

constexpr int kLoops = 3;

class Storm {
 public:
  Storm(uint64_t seed, const Shape& shape)
      : shape_(shape),
        weather_(seed),
        sim_({.loops = kLoops, .seed = seed, .adjust = [](BusOptions& options) {
                options.log = [](absl::string_view) {};
              }}) {}

  void Run() {
    const Instant began = sim_.Now();
    for (uint64_t step = 0; weather_.crashes < shape_.crashes; ++step) {
      if (step % 16 == 0 && !sim_.bus().FindAddress("root").ok()) {
        // It has escalated, and so all of it has ended.
        sim_.RunFor(absl::Seconds(1));
        ASSERT_EQ(sim_.bus().CountActors(), 0u);
        ASSERT_EQ(weather_.objects, 0);
        Spawn();
        ++roots_;
      }
      Tell(/*crash=*/step % 4 == 0);
      if (Chance(250)) sim_.RunFor(absl::Milliseconds(Below(40)));
    }
    std::printf("seed %" PRIu64 ": %" PRIu64 " crashes in %.0f s, %" PRIu64
                " roots\n",
                sim_.seed(), weather_.crashes,
                absl::ToDoubleSeconds(sim_.Now() - began), roots_);
    weather_.is_over = true;
    sim_.RunFor(absl::Minutes(10));
    Check();
    const ShutdownReport& report = sim_.Finish();
    EXPECT_TRUE(report.clean) << report.ToString();
    EXPECT_EQ(weather_.objects, 0);
    EXPECT_EQ(weather_.handled_twice, 0u);
    EXPECT_EQ(weather_.on_wrong_loop, 0u);
    EXPECT_GE(weather_.crashes, shape_.crashes);
    EXPECT_GT(restarts_, 0u);
  }

 private:
  uint64_t Below(uint64_t bound) { return weather_.random.Below(bound); }
  bool Chance(int per_mille) { return weather_.random.Chance(per_mille); }

  SupervisorOptions Options(uint32_t max_restarts) {
    constexpr Strategy kStrategies[] = {
        Strategy::kOneForOne, Strategy::kOneForAll, Strategy::kRestForOne};
    return {.strategy = kStrategies[Below(3)],
            .max_restarts = max_restarts,
            .within = absl::Seconds(1 + Below(5)),
            .backoff = {.first = absl::Milliseconds(Below(100)),
                        .most = absl::Milliseconds(500)}};
  }
  ChildOptions ChildOf(const std::string& name, int loop) {
    return {.name = name,
            .loop = loop,
            .mailbox_capacity = static_cast<uint32_t>(1 + Below(64)),
            .keep_mailbox = Chance(500),
            .stop_within = absl::Milliseconds(Below(200))};
  }
  int Loop() { return static_cast<int>(Below(kLoops)); }

  void Spawn() {
    std::vector<ChildSpec> trees;
    workers_.clear();
    for (uint64_t t = 0; t < shape_.trees; ++t) {
      std::vector<ChildSpec> groups;
      for (uint64_t g = 0; g < shape_.groups; ++g) {
        std::vector<ChildSpec> workers;
        for (uint64_t w = 0; w < shape_.workers; ++w) {
          const std::string name = absl::StrCat("w", w);
          const int loop = Loop();
          workers.push_back(
              Child<StormWorker>(ChildOf(name, loop), &weather_, loop));
          workers_.push_back(absl::StrCat("root/t", t, "/g", g, "/", name));
        }
        groups.push_back(
            Supervise(absl::StrCat("g", g), 1 + Below(4), std::move(workers)));
      }
      trees.push_back(
          Supervise(absl::StrCat("t", t), 1 + Below(8), std::move(groups)));
    }
    const uint32_t most = 10 + static_cast<uint32_t>(Below(40));
    sim_.Spawn<Supervisor>({.name = "root", .loop = Loop()}, Options(most),
                           std::move(trees));
  }
  ChildSpec Supervise(const std::string& name, uint64_t max_restarts,
                      std::vector<ChildSpec> children) {
    ChildOptions options = ChildOf(name, Loop());
    options.mailbox_capacity = 64;
    options.stop_within = absl::Seconds(Below(3));
    return Child<Supervisor>(std::move(options),
                             Options(static_cast<uint32_t>(max_restarts)),
                             std::move(children));
  }

  void Tell(bool crash) {
    const auto found = sim_.bus().FindAddress(workers_[Below(workers_.size())]);
    if (!found.ok()) return;
    const Ref<StormWorker> worker(*found);
    if (crash) {
      worker.Tell(Crash{});
    } else {
      worker.Tell(Work{++works_});
    }
  }

  // Each child is up, or the root has escalated with all of them.
  void Check() {
    const auto root = sim_.bus().Find<Supervisor>("root");
    if (!root.ok()) {
      EXPECT_EQ(sim_.bus().CountActors(), 0u);
      EXPECT_EQ(weather_.objects, 0);
      return;
    }
    CheckChildrenOf(*root, 2);
    EXPECT_EQ(sim_.bus().CountActors(), shape_.actors());
    EXPECT_EQ(weather_.objects, static_cast<int64_t>(workers_.size()));
  }
  void CheckChildrenOf(const Ref<Supervisor>& supervisor, int levels) {
    const auto children = sim_.Ask(supervisor, GetChildren{}, absl::Seconds(1));
    ASSERT_TRUE(children.ok()) << children.status();
    for (const ChildInfo& child : *children) {
      EXPECT_EQ(child.state, ChildState::kUp)
          << child.address.ToString() << ": " << child.last_exit.ToString();
      restarts_ += child.restarts;
      if (levels > 0)
        CheckChildrenOf(Ref<Supervisor>(child.address), levels - 1);
    }
  }

  const Shape shape_;
  Weather weather_;  // the workers use it until the bus has ended
  testing::SimBus sim_;
  std::vector<std::string> workers_;
  uint64_t works_ = 0;
  uint64_t roots_ = 0;
  uint64_t restarts_ = 0;
};

TEST(StormTest, P20_EachChildIsUpAgainOrItsSupervisorHasEscalated) {
  const bool full = GetRunOptions().full;
  const Shape shape = full ? Shape{9, 10, 10, 100'000} : Shape{3, 3, 3, 300};
  if (full) {
    ASSERT_EQ(shape.actors(), 1'000u);
  }
  ForEachSeed(GetRunOptions().Scale(10, 1),
              [&](uint64_t seed) { Storm(seed, shape).Run(); });
}

}  // namespace
}  // namespace trolley
