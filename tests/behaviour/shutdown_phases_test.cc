// SPDX-License-Identifier: Apache-2.0
//
// ShutdownPhases on a simulated bus, in virtual time.

#include "trolley/actors/behaviour/shutdown_phases.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/exit_codes.h"
#include "trolley/actors/behaviour/phases_report.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using trolley::testing::ForEachSeed;
using trolley::testing::SimBus;
using trolley::testing::SimBusOptions;

using Kind = ExitReason::Kind;
using Lines = std::vector<std::string>;

struct Job {
  absl::Duration takes;
};
struct Item {
  int number = 0;
};
struct Boom {};
struct End {};
// From now on the actor calls it at its end, with the reason.
struct AtStop {
  std::function<void(Kind)> run;
};

class Worker : public Actor {
 public:
  // Told an Item at the end of each job, if it is not empty.
  Worker(std::string name, Lines* diary, Ref<Worker> next = {})
      : name_(std::move(name)), diary_(*diary), next_(std::move(next)) {}

  void OnDrain() override { Add("drains"); }
  void OnStop() override {
    Add("stops");
    if (at_stop_ != nullptr) at_stop_(exit_reason().kind);
  }
  Task<> On(Job m) {
    co_await Sleep(m.takes);
    Add("has done a job");
    next_.Tell(Item{1});
  }
  void On(const Item& m) { Add(absl::StrCat("got ", m.number)); }
  void On(const Boom&) { throw std::runtime_error("disk full"); }
  void On(const End&) { Stop(); }
  void On(const AtStop& m) { at_stop_ = m.run; }

 private:
  void Add(const std::string& what) {
    diary_.push_back(absl::StrCat(name_, " ", what));
  }

  const std::string name_;
  Lines& diary_;
  const Ref<Worker> next_;
  std::function<void(Kind)> at_stop_;
};

class ShutdownPhasesTest : public ::testing::Test {
 protected:
  Ref<Worker> Spawn(const std::string& name, int loop = 0,
                    Ref<Worker> next = {}) {
    return sim_.Spawn<Worker>({.name = name, .loop = loop}, name, &diary_,
                              std::move(next));
  }
  void Add(absl::string_view name, absl::Duration limit,
           std::vector<Address> actors,
           std::function<void()> ask_to_end = nullptr) {
    EXPECT_EQ(
        phases_.Add(name, limit, std::move(actors), std::move(ask_to_end)),
        absl::OkStatus());
  }
  // Where it stands in the diary; its end: nowhere.
  size_t At(const std::string& line) {
    return std::find(diary_.begin(), diary_.end(), line) - diary_.begin();
  }
  const PhasesReport& Run(absl::Duration deadline) {
    return phases_.Run(deadline, [this](const auto& done, auto within) {
      EXPECT_GE(within, absl::ZeroDuration());
      return sim_.RunUntil(done, within);
    });
  }

  Lines diary_, log_;
  SimBus sim_{{.loops = 2, .adjust = [this](BusOptions& options) {
                 options.log = [this](absl::string_view line) {
                   log_.push_back(std::string(line));
                 };
               }}};
  ShutdownPhases phases_{sim_.bus()};
};

TEST_F(ShutdownPhasesTest, P10_ThePhasesRunInReverseOrderEachToItsEnd) {
  const auto store = Spawn("store");
  const auto cache = Spawn("cache", 1);
  const auto web = Spawn("web", 1, store);
  Add("storage", absl::Seconds(5), {store.address(), cache.address()});
  Add("listeners", absl::Seconds(2), {web.address()});
  web.Tell(Job{absl::Seconds(1)});
  web.Tell(Item{2});
  const PhasesReport& report = Run(absl::Seconds(20));
  EXPECT_LT(At("web has done a job"), At("web got 2"));
  EXPECT_LT(At("web got 2"), At("web stops"));
  EXPECT_LT(At("web stops"), At("store stops"));
  EXPECT_LT(At("web stops"), At("cache stops"));
  EXPECT_LT(At("store got 1"), At("store stops"));
  EXPECT_EQ(diary_.size(), 6u);  // OnDrain() is not called
  ASSERT_EQ(report.phases.size(), 2u);
  ASSERT_EQ(report.phases[0].name, "listeners");
  EXPECT_EQ(report.phases[0].took, absl::Seconds(1));
  ASSERT_EQ(report.phases[1].name, "storage");
  EXPECT_EQ(report.phases[1].took, absl::ZeroDuration());
  EXPECT_EQ(report.phases[1].actors[1].name, "cache");
  for (const PhaseReport& phase : report.phases) {
    EXPECT_TRUE(phase.clean());
    EXPECT_EQ(phase.dead_lettered, 0u);
    for (const PhaseActor& actor : phase.actors) {
      EXPECT_EQ(actor.end, PhaseEnd::kInTime);
      EXPECT_EQ(actor.reason.kind, Kind::kDrained);
      EXPECT_EQ(actor.depth, 0u);
    }
  }
  EXPECT_EQ(report.phases[0].actors[0].handled, 2u);
  EXPECT_EQ(report.phases[1].actors[0].handled, 1u);
  EXPECT_EQ(report.ExitCode(), 0) << report.ToString();
  EXPECT_EQ(report.took, absl::Seconds(1));
  EXPECT_EQ(log_, Lines());
}

TEST_F(ShutdownPhasesTest, P10_AtItsDeadlineAPhaseStopsItsActors) {
  const auto store = Spawn("store");
  const auto web = Spawn("web", 1, store);
  const auto idle = Spawn("idle", 1);
  Add("storage", absl::Seconds(5), {store.address()});
  Add("listeners", absl::Seconds(2), {idle.address(), web.address()});
  web.Tell(Item{1});
  web.Tell(Job{absl::Seconds(3)});
  for (int i = 0; i < 4; ++i) web.Tell(Item{2});
  store.Tell(Job{absl::Seconds(4)});
  const PhasesReport& report = Run(absl::Seconds(20));
  const PhaseReport& listeners = report.phases[0];
  EXPECT_EQ(listeners.took, absl::Seconds(2));
  EXPECT_FALSE(listeners.clean());
  EXPECT_EQ(listeners.actors[0].end, PhaseEnd::kInTime);
  EXPECT_EQ(listeners.actors[1].end, PhaseEnd::kStopped);
  EXPECT_EQ(listeners.actors[1].reason.kind, Kind::kStopped);
  EXPECT_EQ(listeners.actors[1].depth, 5u);  // four, and the job
  EXPECT_EQ(listeners.actors[1].handled, 1u);
  EXPECT_EQ(listeners.dead_lettered, 5u);
  // The next phase has all of its own time.
  EXPECT_EQ(report.phases[1].took, absl::Seconds(2));
  EXPECT_TRUE(report.phases[1].clean());
  EXPECT_TRUE(report.bus.clean);
  EXPECT_EQ(report.ExitCode(), ExitCodes::kLate);
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_EQ(log_[0],
            "phase listeners: took 2s; of 2 actors 1 ended in time, 1 stopped; "
            "dead letters 5: web (stopped, depth 5, handled 1)");
}

TEST_F(ShutdownPhasesTest, P10_ALimitOfZeroStopsAtOnce) {
  const auto web = Spawn("web");
  web.Tell(Job{absl::Seconds(3)});
  sim_.RunUntilIdle();
  Add("listeners", absl::ZeroDuration(), {web.address()});
  const PhasesReport& report = Run(absl::Seconds(20));
  EXPECT_EQ(report.took, absl::ZeroDuration());
  EXPECT_EQ(report.phases[0].actors[0].end, PhaseEnd::kStopped);
}

// Its address outlives the objects in it.
class Keeper : public Actor {
 public:
  explicit Keeper(Lines* diary) : diary_(*diary) {}
  void OnStart() override {
    seat_ = *Seat::Reserve<Worker>(Self(this), {.name = "seat"}, [this] {
      return std::make_unique<Worker>("seat", &diary_);
    });
    seat_.Fill();
  }
  void On(const SeatTaken&) {}
  void On(const SeatEmpty&) {
    if (++ended_ == 1) seat_.Fill();  // the second time it stays empty
  }

 private:
  Lines& diary_;
  int ended_ = 0;
  Seat seat_;
};

TEST_F(ShutdownPhasesTest, P10_AnActorThatSurvivesIsNamedAndNotWaitedFor) {
  const auto store = Spawn("store");
  sim_.Spawn<Keeper>({.loop = 1}, &diary_);
  sim_.RunUntilIdle();
  const Address seat = *sim_.bus().FindAddress("seat");
  Ref<Worker>(seat).Tell(Item{1});
  sim_.RunUntilIdle();
  Add("storage", absl::Seconds(5), {store.address()});
  Add("listeners", absl::Seconds(2), {seat});
  const PhasesReport& report = Run(absl::Seconds(20));
  const PhaseReport& listeners = report.phases[0];
  EXPECT_EQ(listeners.took, absl::Seconds(2) + ShutdownPhases::kGrace);
  const PhaseActor& survivor = listeners.actors[0];
  EXPECT_EQ(survivor.name, "seat");
  EXPECT_EQ(survivor.end, PhaseEnd::kSurvived);
  EXPECT_EQ(survivor.state, "running");  // the second object, at the deadline
  EXPECT_EQ(survivor.handled, 1u);
  EXPECT_EQ(survivor.reason.kind, Kind::kBusEnded);  // later
  EXPECT_TRUE(report.phases[1].clean());
  EXPECT_EQ(report.phases[1].took, absl::ZeroDuration());
  EXPECT_TRUE(report.bus.clean);
  EXPECT_EQ(report.ExitCode(), ExitCodes::kSurvived);
}

TEST_F(ShutdownPhasesTest, P10_TheDeadlineOfAllHoldsAndTheRestIsLeftToTheBus) {
  const auto store = Spawn("store");
  const auto gone = Spawn("gone");
  const auto cache = Spawn("cache", 1);
  const auto web = Spawn("web", 1);
  Add("storage", absl::Seconds(5), {store.address(), gone.address()});
  Add("caches", absl::Seconds(5), {cache.address()});
  Add("listeners", absl::Seconds(5), {web.address()});
  web.Tell(Job{absl::Seconds(3)});
  cache.Tell(Job{absl::Hours(3)});
  gone.Stop();
  const PhasesReport& report = Run(absl::Seconds(4));
  EXPECT_EQ(report.took, absl::Seconds(4));
  EXPECT_TRUE(report.phases[0].clean());
  EXPECT_EQ(report.phases[0].took, absl::Seconds(3));
  EXPECT_EQ(report.phases[1].took, absl::Seconds(1));
  EXPECT_EQ(report.phases[1].actors[0].end, PhaseEnd::kStopped);
  EXPECT_EQ(report.phases[2].took, absl::ZeroDuration());
  EXPECT_EQ(report.phases[2].actors[0].end, PhaseEnd::kNoTime);
  EXPECT_EQ(report.phases[2].actors[0].reason.kind, Kind::kBusEnded);
  EXPECT_EQ(report.phases[2].actors[1].end, PhaseEnd::kBefore);
  EXPECT_EQ(report.ExitCode(), ExitCodes::kLate);
  EXPECT_EQ(diary_.back(), "store stops");
}

TEST_F(ShutdownPhasesTest, AnActorThatEndsEarlyIsReportedWithItsReason) {
  const auto ended = Spawn("ended");
  ended.Stop();
  sim_.RunUntilIdle();
  const auto stopped = Spawn("stopped");
  const auto failed = Spawn("failed", 1);
  const auto left = Spawn("left", 1);
  Add("all", absl::Seconds(5),
      {ended.address(), stopped.address(), failed.address(), left.address()});
  stopped.Stop();
  failed.Tell(Boom{});
  sim_.RunUntilIdle();
  // The bus keeps the last 1024 names.
  for (int i = 0; i < 1100; ++i) {
    sim_.Spawn<Worker>({.name = absl::StrCat("other", i)}, "", &diary_).Stop();
    sim_.RunUntilIdle();
  }
  EXPECT_EQ(failed.address().ToString()[0], '#');
  const PhasesReport& report = Run(absl::Seconds(20));
  const std::vector<PhaseActor>& actors = report.phases[0].actors;
  EXPECT_EQ(actors[0].end, PhaseEnd::kBefore);
  EXPECT_EQ(actors[0].reason.kind, Kind::kStopped);
  EXPECT_EQ(actors[1].end, PhaseEnd::kBefore);
  EXPECT_EQ(actors[1].reason.kind, Kind::kStopped);
  EXPECT_EQ(actors[2].name, "failed");
  EXPECT_EQ(actors[2].end, PhaseEnd::kBefore);
  EXPECT_EQ(actors[2].reason.kind, Kind::kFailed);
  EXPECT_TRUE(absl::StrContains(actors[2].reason.ToString(), "disk full"));
  EXPECT_EQ(actors[3].end, PhaseEnd::kInTime);
  EXPECT_EQ(report.ExitCode(), 0) << report.ToString();
}

TEST_F(ShutdownPhasesTest, P8_AnActorThatThrowsWhileItDrainsIsReported) {
  const auto web = Spawn("web");
  Add("listeners", absl::Seconds(5), {web.address()});
  web.Tell(Item{1});
  web.Tell(Boom{});
  web.Tell(Item{2});
  const PhasesReport& report = Run(absl::Seconds(20));
  EXPECT_EQ(report.phases[0].actors[0].end, PhaseEnd::kInTime);
  EXPECT_EQ(report.phases[0].actors[0].reason.kind, Kind::kFailed);
  EXPECT_FALSE(report.phases[0].clean());
  EXPECT_EQ(report.phases[0].dead_lettered, 1u);
  EXPECT_EQ(report.ExitCode(), ExitCodes::kFailed);
  ASSERT_EQ(log_.size(), 2u);  // the first line is that of the bus
  EXPECT_TRUE(absl::StrContains(log_[1], "its handler of ")) << log_[1];
  EXPECT_TRUE(absl::StrContains(log_[1], "threw: disk full")) << log_[1];
}

TEST_F(ShutdownPhasesTest, AnActorThatHasNotStartedIsStartedAndDrained) {
  const auto web = Spawn("web");
  web.Tell(Item{1});
  Add("listeners", absl::Seconds(5), {web.address()});
  EXPECT_EQ(Run(absl::Seconds(20)).ExitCode(), 0);
  EXPECT_EQ(diary_, (Lines{"web got 1", "web stops"}));
}

TEST_F(ShutdownPhasesTest, AnEmptyPhaseTakesNoTime) {
  Add("nothing", absl::InfiniteDuration(), {});
  const PhasesReport& report = Run(absl::InfiniteDuration());
  EXPECT_TRUE(report.phases[0].clean());
  EXPECT_EQ(report.took, absl::ZeroDuration());
  EXPECT_EQ(report.ExitCode(), 0);
}

TEST_F(ShutdownPhasesTest, WithoutPhasesTheBusEnds) {
  Spawn("web");
  EXPECT_EQ(Run(absl::Seconds(1)).ExitCode(), 0);
  EXPECT_EQ(diary_, (Lines{"web drains", "web stops"}));
}

TEST_F(ShutdownPhasesTest, WhatCannotBeAddedIsRefusedByName) {
  const auto web = Spawn("web");
  const auto store = Spawn("store");
  const auto refused = [this](absl::string_view name,
                              std::vector<Address> actors) {
    return phases_.Add(name, absl::Seconds(1), std::move(actors));
  };
  Add("listeners", absl::Seconds(1), {web.address()});
  absl::Status status = refused("listeners", {store.address()});
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "\"listeners\"")) << status;
  for (const std::string& name :
       {std::string(), std::string("no\nname"), std::string(200, 'a')}) {
    status = refused(name, {store.address()});
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  }
  status = refused("storage", {store.address(), Address()});
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "address 1")) << status;
  status = refused("storage", {store.address(), web.address()});
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "web")) << status;
  status = refused("storage", {store.address(), store.address()});
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "store")) << status;
  {
    SimBus other;
    const auto foreign = other.Spawn<Worker>({.name = "foreign"}, "", &diary_);
    status = refused("storage", {foreign.address()});
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "foreign")) << status;
  }
  // None of these has left anything behind.
  Add("storage", absl::Seconds(1), {store.address()});
  EXPECT_EQ(Run(absl::Seconds(20)).phases.size(), 2u);
}

TEST_F(ShutdownPhasesTest, P6_ThereIsALimitOfPhases) {
  for (size_t i = 0; i < ShutdownPhases::kMostPhases; ++i) {
    Add(absl::StrCat(i), absl::Seconds(1), {});
  }
  const absl::Status status = phases_.Add("more", absl::Seconds(1), {});
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "kMostPhases, 64")) << status;
  EXPECT_EQ(Run(absl::Seconds(20)).phases.size(), ShutdownPhases::kMostPhases);
}

TEST_F(ShutdownPhasesTest, P6_ThereIsALimitOfActors) {
  std::vector<Address> actors;
  for (size_t i = 0; i < ShutdownPhases::kMostActors; ++i) {
    actors.push_back(sim_.Spawn<Worker>({}, "", &diary_).address());
  }
  const Address more = sim_.Spawn<Worker>({}, "", &diary_).address();
  Add("most", absl::Seconds(1), std::move(actors));
  const absl::Status status = phases_.Add("more", absl::Seconds(1), {more});
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "\"more\" has 1 actors"))
      << status;
  const PhasesReport& report = Run(absl::Seconds(20));
  EXPECT_EQ(report.phases[0].Count(PhaseEnd::kInTime),
            ShutdownPhases::kMostActors);
}

TEST_F(ShutdownPhasesTest, APhaseThatComesDuringTheRunIsRefused) {
  const auto web = Spawn("web");
  const auto late = Spawn("late");
  std::optional<absl::Status> added;
  web.Tell(AtStop{[&](Kind) {
    added = phases_.Add("late", absl::Seconds(1), {late.address()});
  }});
  Add("listeners", absl::Seconds(1), {web.address()});
  const PhasesReport& report = Run(absl::Seconds(20));
  ASSERT_TRUE(added.has_value());
  EXPECT_TRUE(absl::IsFailedPrecondition(*added)) << *added;
  EXPECT_TRUE(absl::StrContains(added->message(), "\"late\"")) << *added;
  EXPECT_EQ(report.phases.size(), 1u);
  EXPECT_EQ(diary_.back(), "late stops");  // by the end of the bus
  EXPECT_TRUE(absl::IsFailedPrecondition(
      phases_.Add("later", absl::Seconds(1), {late.address()})));
}

TEST_F(ShutdownPhasesTest, AnActorMayAddAPhase) {
  const auto web = Spawn("web");
  const auto helper = Spawn("helper", 1);
  helper.Tell(AtStop{
      [&](Kind) { Add("listeners", absl::Seconds(1), {web.address()}); }});
  helper.Stop(/*drain=*/true);
  sim_.RunUntilIdle();
  EXPECT_EQ(Run(absl::Seconds(20)).phases.size(), 1u);
}

TEST_F(ShutdownPhasesTest, P10_ASecondRunReturnsTheFirstReport) {
  const auto web = Spawn("web");
  Add("listeners", absl::Seconds(1), {web.address()});
  const PhasesReport& first = Run(absl::Seconds(20));
  const Lines diary = diary_;
  const PhasesReport& second = Run(absl::InfiniteDuration());
  EXPECT_EQ(&first, &second);
  EXPECT_EQ(second.phases.size(), 1u);
  EXPECT_EQ(diary_, diary);
}

TEST_F(ShutdownPhasesTest, ABusThatHasEndedIsReported) {
  const auto web = Spawn("web");
  const auto store = Spawn("store");
  Add("listeners", absl::Seconds(1), {web.address()});
  sim_.Finish();
  Add("late", absl::Seconds(1), {store.address()});
  const PhasesReport& report = Run(absl::Seconds(20));
  for (const PhaseReport& phase : report.phases) {
    EXPECT_EQ(phase.actors[0].end, PhaseEnd::kBefore);
    EXPECT_EQ(phase.actors[0].reason.kind, Kind::kBusEnded);
  }
  EXPECT_EQ(report.ExitCode(), 0);
}

TEST_F(ShutdownPhasesTest, WithoutARunNoActorIsStopped) {
  const auto web = Spawn("web");
  {
    ShutdownPhases other(sim_.bus());
    EXPECT_TRUE(other.Add("listeners", absl::Seconds(1), {web.address()}).ok());
    sim_.RunUntilIdle();
  }
  sim_.RunUntilIdle();
  EXPECT_EQ(sim_.bus().CountActors(), 1u);
  web.Stop();
  sim_.RunUntilIdle();
  EXPECT_EQ(diary_, Lines{"web stops"});
}

TEST_F(ShutdownPhasesTest, AnActorMayEndByAMessageOfItsOwn) {
  const auto store = Spawn("store");
  const auto web = Spawn("web");
  const auto deaf = Spawn("deaf", 1);
  Add("storage", absl::Seconds(9), {store.address()},
      [&] { ADD_FAILURE() << "there is no time for it"; });
  Add("listeners", absl::Seconds(2), {web.address(), deaf.address()},
      [&] { web.Tell(End{}); });
  const PhasesReport& report = Run(absl::Seconds(2));
  const std::vector<PhaseActor>& actors = report.phases[0].actors;
  EXPECT_EQ(actors[0].end, PhaseEnd::kInTime);
  EXPECT_EQ(actors[0].reason.kind, Kind::kStopped);
  EXPECT_EQ(actors[1].end, PhaseEnd::kStopped);
  EXPECT_EQ(report.phases[1].actors[0].end, PhaseEnd::kNoTime);
}

// Each child by its own deadline, and not all at once.
TEST_F(ShutdownPhasesTest, ASupervisionTreeEndsByItsMessage) {
  const auto child = [this](const std::string& name) {
    return Child<Worker>(
        ChildOptions{.name = name, .stop_within = absl::Seconds(2)}, name,
        &diary_);
  };
  const auto app =
      sim_.Spawn<Supervisor>({.name = "app"}, SupervisorOptions{},
                             std::vector<ChildSpec>{child("a"), child("b")});
  sim_.RunUntilIdle();
  sim_.bus().Find<Worker>("app/b")->Tell(Job{absl::Seconds(1)});
  Add("tree", absl::Seconds(5), {app.address()},
      [app] { app.Tell(StopTree{}); });
  const PhasesReport& report = Run(absl::Seconds(20));
  EXPECT_EQ(report.ExitCode(), 0) << report.ToString();
  EXPECT_EQ(report.took, absl::Seconds(1));
  EXPECT_EQ(diary_, (Lines{"b has done a job", "b stops", "a stops"}));
}

// As Bus::Shutdown(), without the help of the test: time does not move.
TEST_F(ShutdownPhasesTest, P10_ABusOfOneThreadRunsUntilItIsIdle) {
  const auto store = Spawn("store");
  const auto web = Spawn("web", 1, store);
  Add("storage", absl::Seconds(5), {store.address()});
  Add("listeners", absl::InfiniteDuration(), {web.address()});
  web.Tell(Item{1});
  web.Tell(Job{absl::Seconds(1)});
  const PhasesReport& report = phases_.Run(absl::InfiniteDuration());
  EXPECT_EQ(report.took, absl::ZeroDuration());
  EXPECT_EQ(report.phases[0].actors[0].end, PhaseEnd::kStopped);
  EXPECT_EQ(report.phases[0].actors[0].handled, 1u);
  EXPECT_TRUE(report.phases[1].clean());
  EXPECT_EQ(diary_, (Lines{"web got 1", "web stops", "store stops"}));
}

// --- Whatever happens --------------------------------------------------------

struct Ending {
  int phase;
  Kind why;
  Instant at;
};

// Jobs, failures and early ends as the seed says: each actor is reported once
// and truly, and a phase begins when the one before it is over.
TEST(ShutdownPhasesStorm, P10_TheReportIsTrueWhateverHappens) {
  int drained = 0, late = 0, failed = 0, before = 0, no_time = 0;
  ForEachSeed(300, [&](uint64_t seed) {
    SimBus sim({.loops = 3, .seed = seed, .adjust = [](BusOptions& options) {
                  options.log = [](absl::string_view) {};
                }});
    SimRandom& random = sim.world().random();
    std::vector<Ending> endings;
    Lines diary;
    ShutdownPhases phases(sim.bus());
    const int count = 1 + random.Below(4);
    std::vector<std::vector<Address>> actors(count);
    for (int phase = 0; phase < count; ++phase) {
      for (uint64_t i = random.Below(6); i > 0; --i) {
        const auto actor = sim.Spawn<Worker>(
            {.loop = static_cast<int>(random.Below(3))}, "", &diary);
        actor.Tell(AtStop{[&, phase](Kind why) {
          endings.push_back({phase, why, sim.Now()});
        }});
        for (uint64_t n = random.Below(4); n > 0; --n) {
          actor.Tell(Job{absl::Milliseconds(random.Below(400))});
        }
        if (random.Below(8) == 0) actor.Tell(Boom{});
        if (random.Below(8) == 0) actor.Stop();
        actors[phase].push_back(actor.address());
      }
      EXPECT_TRUE(phases
                      .Add(absl::StrCat(phase),
                           absl::Milliseconds(random.Below(800)), actors[phase])
                      .ok());
    }
    if (random.Below(2) == 0) sim.RunFor(absl::Milliseconds(random.Below(300)));
    const Instant began = sim.Now();
    const absl::Duration deadline = absl::Milliseconds(random.Below(2000));
    const PhasesReport& report =
        phases.Run(deadline, [&](const auto& done, auto within) {
          return sim.RunUntil(done, within);
        });
    EXPECT_LE(report.took, deadline);
    ASSERT_EQ(report.phases.size(), static_cast<size_t>(count));
    Instant at = began;
    int worst = 0;
    for (int i = 0; i < count; ++i) {
      const PhaseReport& phase = report.phases[i];
      const int number = count - 1 - i;
      EXPECT_EQ(phase.name, absl::StrCat(number));
      EXPECT_EQ(phase.actors.size(), actors[number].size());
      size_t all = 0;
      for (const PhaseEnd end : {PhaseEnd::kBefore, PhaseEnd::kInTime,
                                 PhaseEnd::kStopped, PhaseEnd::kNoTime}) {
        all += phase.Count(end);
      }
      EXPECT_EQ(all, phase.actors.size()) << phase.ToString();
      for (const PhaseActor& actor : phase.actors) {
        EXPECT_NE(actor.reason.kind, Kind::kUnknown);
        const bool threw = actor.reason.kind == Kind::kFailed;
        if (actor.end == PhaseEnd::kNoTime) {
          EXPECT_NE(actor.reason.kind, Kind::kDrained);
        }
        late += actor.end == PhaseEnd::kStopped;
        before += actor.end == PhaseEnd::kBefore;
        no_time += actor.end == PhaseEnd::kNoTime;
        if (actor.end == PhaseEnd::kBefore) continue;
        failed += threw;
        worst = std::max(worst, threw ? ExitCodes::kFailed
                                : actor.end == PhaseEnd::kInTime
                                    ? 0
                                    : ExitCodes::kLate);
      }
      // Those that it asked to end did so while it ran.
      for (const Ending& ending : endings) {
        if (ending.phase != number || ending.why != Kind::kDrained) continue;
        EXPECT_GE(ending.at, at);
        EXPECT_LE(ending.at, at + phase.took);
        ++drained;
      }
      at = at + phase.took;
    }
    EXPECT_EQ(report.ExitCode(), std::max(worst, ExitCodeOf(report.bus)))
        << report.ToString();
    EXPECT_EQ(sim.bus().CountActors(), 0u);
  });
  // The seeds have made all of these.
  EXPECT_GT(drained, 0);
  EXPECT_GT(late, 0);
  EXPECT_GT(failed, 0);
  EXPECT_GT(before, 0);
  EXPECT_GT(no_time, 0);
}

}  // namespace
}  // namespace trolley
