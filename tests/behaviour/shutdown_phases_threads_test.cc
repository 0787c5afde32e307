// SPDX-License-Identifier: Apache-2.0
//
// ShutdownPhases on a bus with threads. No test waits for a length of time, but
// for the grace that Run() itself gives an actor that does not end.

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/exit_codes.h"
#include "trolley/actors/behaviour/phases_report.h"
#include "trolley/actors/behaviour/shutdown_phases.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

using Event = absl::Notification;
using Kind = ExitReason::Kind;

struct Item {};
struct Call {
  std::function<void()> run;
};
// From now on the actor calls it in OnStop().
struct AtStop {
  std::function<void()> run;
};

class Worker : public Actor {
 public:
  void OnStop() override {
    if (at_stop_ != nullptr) at_stop_();
  }
  void On(const Item&) {}
  void On(const Call& m) { m.run(); }
  void On(const AtStop& m) { at_stop_ = m.run; }

 private:
  std::function<void()> at_stop_;
};

class PhasesOnThreads : public ::testing::Test {
 protected:
  Ref<Worker> Spawn(const std::string& name, int loop) {
    return *bus_->Spawn<Worker>({.name = name, .loop = loop});
  }

  // Its handler waits for go_on_.
  void Block(const Ref<Worker>& actor) {
    Event blocks;
    actor.Tell(Call{[&] {
      blocks.Notify();
      go_on_.WaitForNotification();
    }});
    blocks.WaitForNotification();
  }

  const int threads_before_ = CountThreads();
  Event go_on_;
  std::unique_ptr<Bus> bus_ = *Bus::Create(
      {.loops = std::vector<LoopOptions>(3), .log = [](absl::string_view) {}});
};

TEST_F(PhasesOnThreads, P10_APhaseBeginsWhenTheOneBeforeIsOver) {
  constexpr int kPhases = 8;
  absl::Mutex mutex;
  std::vector<int> ended;
  ShutdownPhases phases(*bus_);
  for (int i = 0; i < kPhases; ++i) {
    std::vector<Address> actors;
    for (int j = 0; j < 9; ++j) {
      const auto actor = Spawn(absl::StrCat("actor", i, "/", j), j % 3);
      for (int n = 0; n < 100; ++n) actor.Tell(Item{});
      actor.Tell(AtStop{[&mutex, &ended, i] {
        absl::MutexLock lock(&mutex);
        ended.push_back(i);
      }});
      actors.push_back(actor.address());
    }
    EXPECT_TRUE(phases
                    .Add(absl::StrCat("phase", i), absl::InfiniteDuration(),
                         std::move(actors))
                    .ok());
  }
  const PhasesReport& report = phases.Run(absl::InfiniteDuration());
  EXPECT_EQ(report.ExitCode(), 0) << report.ToString();
  EXPECT_EQ(ended.size(), 9u * kPhases);
  EXPECT_TRUE(std::is_sorted(ended.rbegin(), ended.rend()));
  for (const PhaseReport& phase : report.phases) {
    for (const PhaseActor& actor : phase.actors) {
      EXPECT_EQ(actor.handled, 101u);
      EXPECT_EQ(actor.reason.kind, Kind::kDrained);
    }
  }
}

TEST_F(PhasesOnThreads, P10_AHandlerThatDoesNotReturnIsNotWaitedFor) {
  const auto store = Spawn("store", 0);
  const auto other = Spawn("other", 0);
  const auto web = Spawn("web", 1);
  Block(web);
  ShutdownPhases phases(*bus_);
  // It returns in the next phase.
  EXPECT_TRUE(phases
                  .Add("storage", absl::InfiniteDuration(), {store.address()},
                       [&] {
                         go_on_.Notify();
                         store.Stop(/*drain=*/true);
                       })
                  .ok());
  EXPECT_TRUE(phases
                  .Add("listeners", absl::Milliseconds(1),
                       {web.address(), other.address()})
                  .ok());
  const PhasesReport& report = phases.Run(absl::InfiniteDuration());
  const std::vector<PhaseActor>& listeners = report.phases[0].actors;
  EXPECT_EQ(listeners[0].end, PhaseEnd::kSurvived);
  EXPECT_EQ(listeners[0].state, "stuck");
  EXPECT_EQ(listeners[0].reason.kind, Kind::kStopped);  // when it returned
  EXPECT_NE(listeners[1].end, PhaseEnd::kSurvived);
  EXPECT_TRUE(report.phases[1].clean());
  EXPECT_TRUE(report.bus.clean) << report.bus.ToString();
  EXPECT_EQ(report.ExitCode(), ExitCodes::kSurvived);
}

TEST_F(PhasesOnThreads, P10_AHandlerThatNeverReturnsIsNamedTwice) {
  const auto web = Spawn("web", 1);
  Block(web);
  ShutdownPhases phases(*bus_);
  EXPECT_TRUE(
      phases.Add("listeners", absl::ZeroDuration(), {web.address()}).ok());
  const PhasesReport& report = phases.Run(absl::Milliseconds(100));
  EXPECT_EQ(report.phases[0].actors[0].state, "stuck");
  EXPECT_EQ(report.phases[0].actors[0].reason.kind, Kind::kUnknown);
  ASSERT_EQ(report.bus.survivors.size(), 1u);
  const std::string& survivor = report.bus.survivors[0];
  EXPECT_TRUE(absl::StartsWith(survivor, "web on loop 1, in its handler of "))
      << survivor;
  EXPECT_TRUE(absl::EndsWith(survivor, "ms or longer")) << survivor;
  EXPECT_EQ(report.ExitCode(), ExitCodes::kStuck);
  EXPECT_TRUE(absl::StrContains(report.ToString(), "web (survived, stuck"))
      << report.ToString();
  go_on_.Notify();
  AwaitThreads(threads_before_);
}

// It is blocked only when its phase has begun: the figures are those of the
// begin. The test's own wait makes each step come when the one before is over.
TEST_F(PhasesOnThreads, P10_AnActorThatGetsStuckAtItsEndHasFigures) {
  const auto web = Spawn("web", 1);
  Event blocks;
  web.Tell(Item{});
  web.Tell(AtStop{[&] {
    blocks.Notify();
    go_on_.WaitForNotification();
  }});
  ShutdownPhases phases(*bus_);
  EXPECT_TRUE(phases.Add("listeners", absl::Hours(1), {web.address()}).ok());
  std::vector<absl::Duration> waits;
  const PhasesReport& report = phases.Run(
      absl::Seconds(1), [&](const std::function<bool()>& done, auto within) {
        waits.push_back(within);
        blocks.WaitForNotification();
        return done();
      });
  ASSERT_EQ(waits.size(), 2u);
  EXPECT_LE(waits[0], absl::Seconds(1));
  EXPECT_EQ(waits[1], ShutdownPhases::kGrace);
  const PhaseActor& actor = report.phases[0].actors[0];
  EXPECT_EQ(actor.end, PhaseEnd::kSurvived);
  EXPECT_EQ(actor.state, "stuck");
  EXPECT_EQ(actor.handled + actor.depth, 2u);
  go_on_.Notify();
  AwaitThreads(threads_before_);
}

// Add() against Run(): what is added is run, and the rest is refused.
TEST_F(PhasesOnThreads, PhasesMayBeAddedOnAnyThread) {
  constexpr int kThreads = 4, kEach = 10;
  ShutdownPhases phases(*bus_);
  std::atomic<int> added{0}, refused{0};
  Event one;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const auto actor = bus_->Spawn<Worker>({});
        const absl::Status status =
            phases.Add(absl::StrCat("phase", t, "/", i), absl::Hours(1),
                       {actor.ok() ? actor->address() : Address()});
        if (status.ok()) {
          if (added++ == 0) one.Notify();
        } else {
          EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
          ++refused;
        }
      }
    });
  }
  one.WaitForNotification();
  const PhasesReport& report = phases.Run(absl::Hours(1));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(report.phases.size(), static_cast<size_t>(added));
  EXPECT_EQ(added + refused, kThreads * kEach);
  EXPECT_EQ(report.ExitCode(), 0) << report.ToString();
}

// The callbacks of phases that are gone find nothing of them.
TEST_F(PhasesOnThreads, P5_TheEndOfAnActorMayMeetTheEndOfThePhases) {
  for (int i = 0; i < 200; ++i) {
    std::vector<Ref<Worker>> actors;
    std::vector<Address> addresses;
    for (int j = 0; j < 3; ++j) {
      actors.push_back(*bus_->Spawn<Worker>({.loop = j}));
      addresses.push_back(actors.back().address());
    }
    auto phases = std::make_unique<ShutdownPhases>(*bus_);
    EXPECT_TRUE(phases->Add("all", absl::Hours(1), addresses).ok());
    for (const auto& actor : actors) actor.Stop();
    phases = nullptr;
  }
  EXPECT_TRUE(bus_->Shutdown(absl::InfiniteDuration()).clean);
}

}  // namespace
}  // namespace trolley
