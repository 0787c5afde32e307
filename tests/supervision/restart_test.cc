// SPDX-License-Identifier: Apache-2.0
//
// Which children restart, when, and how often.

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/tests/supervision/supervision_fixture.h"

namespace trolley {
namespace {

using Kind = ExitReason::Kind;
using RestartTest = SupervisionTest;

// --- Each strategy with each kind of restart --------------------------------

struct Case {
  Strategy strategy;
  Restart restart;  // of the child that ends, b of a, b and c
  bool crash;       // or it stops itself
  std::string events;
  ChildState state;  // of b afterwards
};

TEST_F(RestartTest, P20_EachStrategyWithEachKindOfRestart) {
  constexpr auto kUp = ChildState::kUp;
  constexpr auto kEnded = ChildState::kEnded;
  const Case cases[] = {
      {Strategy::kOneForOne, Restart::kAlways, true, "-b +b", kUp},
      {Strategy::kOneForOne, Restart::kAlways, false, "-b +b", kUp},
      {Strategy::kOneForOne, Restart::kOnFailure, true, "-b +b", kUp},
      {Strategy::kOneForOne, Restart::kOnFailure, false, "-b", kEnded},
      {Strategy::kOneForOne, Restart::kNever, true, "-b", kEnded},
      {Strategy::kOneForOne, Restart::kNever, false, "-b", kEnded},
      {Strategy::kOneForAll, Restart::kAlways, true, "-b -c -a +a +b +c", kUp},
      {Strategy::kOneForAll, Restart::kAlways, false, "-b -c -a +a +b +c", kUp},
      {Strategy::kOneForAll, Restart::kOnFailure, true, "-b -c -a +a +b +c",
       kUp},
      {Strategy::kOneForAll, Restart::kOnFailure, false, "-b", kEnded},
      {Strategy::kOneForAll, Restart::kNever, true, "-b", kEnded},
      {Strategy::kOneForAll, Restart::kNever, false, "-b", kEnded},
      {Strategy::kRestForOne, Restart::kAlways, true, "-b -c +b +c", kUp},
      {Strategy::kRestForOne, Restart::kAlways, false, "-b -c +b +c", kUp},
      {Strategy::kRestForOne, Restart::kOnFailure, true, "-b -c +b +c", kUp},
      {Strategy::kRestForOne, Restart::kOnFailure, false, "-b", kEnded},
      {Strategy::kRestForOne, Restart::kNever, true, "-b", kEnded},
      {Strategy::kRestForOne, Restart::kNever, false, "-b", kEnded},
  };
  for (const int loops : {1, 3}) {
    for (const Case& c : cases) {
      SCOPED_TRACE(absl::StrCat(
          loops, " loops, strategy ", static_cast<int>(c.strategy),
          ", restart ", static_cast<int>(c.restart), ", crash ", c.crash));
      Begin(loops, std::nullopt);
      const Ref<Supervisor> app =
          Spawn("app", {.strategy = c.strategy},
                {Worker("a", {.loop = 0}),
                 Worker("b", {.loop = loops - 1, .restart = c.restart}),
                 Worker("c", {.loop = loops / 2})});
      ASSERT_EQ(Take(), "+a +b +c");
      if (c.crash) {
        Tell("app/b", Crash{});
      } else {
        Tell("app/b", Leave{});
      }
      sim().RunFor(absl::Seconds(1));
      EXPECT_EQ(Take(), c.events);
      const ChildInfo b = ChildOf(app, "b");
      EXPECT_EQ(b.state, c.state);
      EXPECT_EQ(b.last_exit.kind, c.crash ? Kind::kFailed : Kind::kStopped);
      EXPECT_EQ(b.restarts, c.state == kUp ? 1u : 0u);
      const bool is_group = c.events.find("+c") != std::string::npos;
      EXPECT_EQ(ChildOf(app, "c").state, kUp);
      EXPECT_EQ(ChildOf(app, "c").restarts, is_group ? 1u : 0u);
      // A seat without a future is given back.
      EXPECT_EQ(sim().bus().FindAddress("app/b").ok(), c.state == kUp);
    }
  }
}

TEST_F(RestartTest, P20_WhatHasEndedStaysSoWhenTheOthersRestart) {
  const Ref<Supervisor> app =
      Spawn("app", {.strategy = Strategy::kOneForAll},
            {Worker("a"), Worker("b", {.restart = Restart::kOnFailure}),
             Worker("c", {.restart = Restart::kNever}), Worker("d")});
  Tell("app/b", Leave{});
  Take();
  Tell("app/a", Crash{});
  sim().RunFor(absl::Seconds(1));
  // c is stopped with the others, and is not started again.
  EXPECT_EQ(Take(), "-a -d -c +a +d");
  EXPECT_EQ(StatesOf(app), "a up, b ended, c ended, d up");
}

TEST_F(RestartTest, P20_AFailureWithinAGroupDoesNotCount) {
  const Ref<Supervisor> app =
      Spawn("app", {.strategy = Strategy::kOneForAll, .max_restarts = 1},
            {Worker("a"), Worker("b"), Worker("c")});
  Take();
  // Both fail before the supervisor has learned of the first.
  EXPECT_EQ(Find("app/a").Tell(Crash{}), Delivery::kAccepted);
  EXPECT_EQ(Find("app/c").Tell(Crash{}), Delivery::kAccepted);
  sim().RunFor(absl::Seconds(1));
  EXPECT_EQ(StatesOf(app), "a up, b up, c up");
}

TEST_F(RestartTest, P20_AFailureOfAChildWhoseStopHasNotComeDoesNotCount) {
  const Ref<Supervisor> app =
      Spawn("app", {.strategy = Strategy::kOneForAll, .max_restarts = 1},
            {Worker("a"), Worker("b"), Worker("c")});
  Tell("app/c", Hold{absl::Seconds(1)});  // so it takes a second to stop
  Take();
  Tell("app/b", Crash{});
  sim().RunFor(absl::Milliseconds(500));
  Tell("app/a", Crash{});
  EXPECT_EQ(StatesOf(app), "a waiting, b waiting, c stopping");
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(Take(), "-b -a -c +a +b +c");
  EXPECT_EQ(StatesOf(app), "a up, b up, c up");
}

TEST_F(RestartTest, P20_AnEarlierChildThatFailsDuringARestartWidensIt) {
  const Ref<Supervisor> app =
      Spawn("app",
            {.strategy = Strategy::kRestForOne,
             .max_restarts = 2,
             .backoff = {.first = absl::Seconds(1), .jitter = 0}},
            {Worker("a"), Worker("b"), Worker("c"), Worker("d")});
  Take();
  Tell("app/d", Crash{});  // waits a second
  sim().RunFor(absl::Milliseconds(500));
  Tell("app/b", Crash{});  // waits a second from now on
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(TakeTimed(), "-d@0 -b@0.5 -c@0.5 +b@1.5 +c@1.5 +d@1.5");
  EXPECT_EQ(StatesOf(app), "a up, b up, c up, d up");
}

TEST_F(RestartTest, ChildrenOfOneForOneWaitForTheirOwnBackoffOnly) {
  record().start_takes["a"] = absl::Seconds(9);
  const Ref<Supervisor> app = Spawn(
      "app",
      {.max_restarts = 2, .backoff = {.first = absl::Seconds(1), .jitter = 0}},
      {Worker<SlowWorker>("a"), Worker("b")});
  sim().RunFor(absl::Seconds(10));
  EXPECT_EQ(TakeTimed(), "+a@0 !a@9 +b@9");
  Tell("app/a", Crash{});
  sim().RunFor(absl::Milliseconds(1500));  // a starts again, slowly
  Tell("app/b", Crash{});
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(StatesOf(app), "a starting, b up");
}

// --- The budget -------------------------------------------------------------

TEST_F(RestartTest, P20_TheBudgetByDefaultIsOneInFiveSeconds) {
  for (const bool is_early : {false, true}) {
    SCOPED_TRACE(is_early);
    Begin(1, std::nullopt);
    const Ref<Supervisor> app = Spawn("app", {}, {Worker("a")});
    Tell("app/a", Crash{});
    sim().RunFor(absl::Seconds(5) - absl::Nanoseconds(is_early ? 1 : 0));
    Tell("app/a", Crash{});
    sim().RunFor(absl::Seconds(1));
    if (is_early) {
      const ExitReason end = EndOf(app.address());
      EXPECT_EQ(end.kind, Kind::kFailed);
      EXPECT_TRUE(absl::StrContains(end.error.message(),
                                    "more than 1 restarts within 5s"))
          << end.error;
      EXPECT_TRUE(absl::StrContains(end.error.message(), "app/a")) << end.error;
      EXPECT_TRUE(absl::StrContains(end.error.message(), "boom")) << end.error;
      EXPECT_FALSE(sim().bus().FindAddress("app/a").ok());
    } else {
      EXPECT_EQ(ChildOf(app, "a").restarts, 2u);
    }
  }
}

TEST_F(RestartTest, P20_NRestartsHoldAndTheNextEscalates) {
  for (const uint32_t most : {0u, 1u, 3u, 10u}) {
    SCOPED_TRACE(most);
    Begin(1, std::nullopt);
    // The failures of two children count together.
    const Ref<Supervisor> app =
        Spawn("app", {.max_restarts = most, .backoff = kAtOnce},
              {Worker("a"), Worker("b")});
    for (uint32_t i = 0; i < most; ++i) {
      Tell(i % 2 == 0 ? "app/a" : "app/b", Crash{});
    }
    EXPECT_EQ(StatesOf(app), "a up, b up");
    EXPECT_EQ(ChildOf(app, "a").restarts + ChildOf(app, "b").restarts, most);
    Take();
    Tell("app/a", Crash{});
    EXPECT_EQ(EndOf(app.address()).kind, Kind::kFailed);
    EXPECT_EQ(Take(), "-a -b");
    EXPECT_TRUE(Logged("makes app end"));
  }
}

TEST_F(RestartTest, P20_ARestartOfAGroupCountsOnce) {
  const Ref<Supervisor> app = Spawn(
      "app",
      {.strategy = Strategy::kOneForAll, .max_restarts = 2, .backoff = kAtOnce},
      {Worker("a"), Worker("b"), Worker("c")});
  Tell("app/a", Crash{});
  Tell("app/b", Crash{});
  EXPECT_EQ(StatesOf(app), "a up, b up, c up");
  Tell("app/c", Crash{});
  EXPECT_EQ(EndOf(app.address()).kind, Kind::kFailed);
}

// --- The backoff ------------------------------------------------------------

TEST_F(RestartTest, P20_TheBackoffGrowsAndBeginsAgainAfterATimeUp) {
  const Ref<Supervisor> app =
      Spawn("app",
            {.max_restarts = 100,
             .within = absl::Seconds(20),
             .backoff = {.first = absl::Milliseconds(500),
                         .most = absl::Seconds(3),
                         .factor = 2,
                         .jitter = 0}},
            {Worker("a")});
  Take();
  int left = 5;
  record().on_start["a"] = [&] {
    if (left-- > 0) throw std::runtime_error("not yet");
  };
  Tell("app/a", Crash{});
  sim().RunFor(absl::Seconds(20));
  // OnStop() does not run for an object whose start failed. Waits of .5 1 2 3 3
  // and 3 seconds.
  EXPECT_EQ(TakeTimed(), "-a@0 +a@0.5 +a@1.5 +a@3.5 +a@6.5 +a@9.5 +a@12.5");
  // Up since 12.5, and so not for 20 seconds.
  Tell("app/a", Crash{});
  sim().RunFor(absl::Seconds(23));
  EXPECT_EQ(TakeTimed(), "-a@20 +a@23");
  Tell("app/a", Crash{});  // up for exactly 20 seconds
  sim().RunFor(absl::Seconds(1));
  EXPECT_EQ(TakeTimed(), "-a@43 +a@43.5");
  EXPECT_EQ(ChildOf(app, "a").restarts, 8u);
}

// When a, b and c of a supervisor come back after they failed together.
std::vector<absl::Duration> Returns(uint64_t seed, double jitter) {
  Record record;
  testing::SimBus sim({.seed = seed, .vary_turns = false});
  std::vector<ChildSpec> children;
  for (const char* name : {"a", "b", "c"}) {
    children.push_back(Child<TestWorker>({.name = name}, &record, name));
  }
  const auto app = sim.Spawn<Supervisor>(
      {},
      SupervisorOptions{
          .max_restarts = 10,
          .backoff = {.first = absl::Seconds(1), .jitter = jitter}},
      children);
  sim.RunUntilIdle();
  record.events.clear();
  record.times.clear();
  record.begin = sim.Now();
  for (const char* name : {"a", "b", "c"}) {
    sim.bus().Find<TestWorker>(name)->Tell(Crash{});
  }
  sim.RunFor(absl::Seconds(2));
  EXPECT_EQ(record.times.size(), 6u);
  return record.times;
}

TEST_F(RestartTest, JitterSpreadsTheReturnsAndTheSeedRepeatsThem) {
  std::set<absl::Duration> all;
  testing::ForEachSeed(50, [&](uint64_t seed) {
    const std::vector<absl::Duration> returns = Returns(seed, 0.4);
    ASSERT_EQ(returns.size(), 6u);
    for (size_t i = 3; i < 6; ++i) {
      EXPECT_GE(returns[i], absl::Milliseconds(600));
      EXPECT_LE(returns[i], absl::Seconds(1));
      all.insert(returns[i]);
    }
    EXPECT_EQ(returns, Returns(seed, 0.4));
    EXPECT_EQ(Returns(seed, 0)[5], absl::Seconds(1));
  });
  // 150 returns if all seeds ran.
  if (all.size() > 3) {
    EXPECT_GT(all.size(), 140u);
  }
  EXPECT_GT(*all.rbegin() - *all.begin(), absl::Milliseconds(100));
}

// --- Starts that fail -------------------------------------------------------

TEST_F(RestartTest, P20_AStartThatFailsCountsAsAnyFailure) {
  enum Where { kFactoryThrows, kFactoryNull, kConstructor, kOnStart, kTask };
  for (const Where where :
       {kFactoryThrows, kFactoryNull, kConstructor, kOnStart, kTask}) {
    SCOPED_TRACE(where);
    Begin(2, std::nullopt);
    int left = 2;
    const auto make = [&, record = &record()]() -> std::unique_ptr<SlowWorker> {
      const bool fails = left-- > 0;
      record->on_start["a"] = [=] {
        if (fails && where == kOnStart) throw std::runtime_error("no disk");
      };
      record->start_returns["a"] = fails && where == kTask
                                       ? absl::DataLossError("no disk")
                                       : absl::OkStatus();
      if (fails && where == kFactoryThrows) throw std::runtime_error("no disk");
      if (fails && where == kFactoryNull) return nullptr;
      return std::make_unique<SlowWorker>(record, "a");
    };
    struct Thrower : SlowWorker {
      Thrower(Record* record, int* left) : SlowWorker(record, "a") {
        if ((*left)-- > 0) throw std::runtime_error("no disk");
      }
    };
    const Ref<Supervisor> app =
        Spawn("app", {.max_restarts = 2},
              {where == kConstructor
                   ? Child<Thrower>({.name = "a", .loop = 1}, &record(), &left)
                   : Child<SlowWorker>({.name = "a", .loop = 1}, make),
               Worker("b")});
    EXPECT_EQ(StatesOf(app), "a waiting, b waiting");
    const ChildInfo failed = ChildOf(app, "a");
    EXPECT_EQ(failed.last_exit.kind, Kind::kFailed);
    if (where != kFactoryNull) {
      EXPECT_TRUE(
          absl::StrContains(failed.last_exit.error.message(), "no disk"))
          << failed.last_exit.error;
    }
    EXPECT_EQ(sim().Ask(app, AwaitUp{}, absl::Seconds(10)), absl::OkStatus());
    EXPECT_EQ(StatesOf(app), "a up, b up");
    EXPECT_EQ(ChildOf(app, "a").restarts, 2u);
    // The third does not fit the budget.
    Tell("app/a", Crash{});
    EXPECT_EQ(EndOf(app.address()).kind, Kind::kFailed);
  }
}

TEST_F(RestartTest, P20_ANameThatIsTakenIsAFailedStart) {
  const auto other = sim().Spawn<TestWorker>({.name = "app/b"}, &record(), "x");
  sim().RunUntilIdle();
  Take();
  const Ref<Supervisor> app =
      Spawn("app", {}, {Worker("a"), Worker("b"), Worker("c")});
  EXPECT_EQ(StatesOf(app), "a up, b waiting, c waiting");
  EXPECT_EQ(ChildOf(app, "b").last_exit.error.code(),
            absl::StatusCode::kAlreadyExists);
  other.Stop();
  sim().RunFor(absl::Seconds(1));
  EXPECT_EQ(StatesOf(app), "a up, b up, c up");
  EXPECT_EQ(Take(), "+a -x +b +c");
}

TEST_F(RestartTest, P20_AChildOfALoopThatDoesNotExistEscalates) {
  const Ref<Supervisor> app = Spawn("app", {}, {Worker("a", {.loop = 7})});
  sim().RunFor(absl::Seconds(5));
  const ExitReason end = EndOf(app.address());
  EXPECT_EQ(end.kind, Kind::kFailed);
  EXPECT_TRUE(absl::StrContains(end.error.message(), "app/a")) << end.error;
}

TEST_F(RestartTest, OptionsThatAreNotValidEndIt) {
  struct Bad {
    SupervisorOptions options;
    std::vector<ChildSpec> children;
    std::string text;
  };
  SupervisorOptions factor, jitter;
  factor.backoff.factor = 0.5;
  jitter.backoff.jitter = 1.5;
  const Bad bads[] = {
      {{.max_restarts = SupervisorOptions::kMostRestarts + 1},
       {},
       "max_restarts is 1025; it is 0 to 1024"},
      {{.max_children = 0}, {}, "max_children is 0; it is 1 to 4096"},
      {{.max_children = 1}, {Worker("a"), Worker("b")}, "max_children is 1"},
      {factor, {}, "backoff.factor is 0.5; it is 1 to 100"},
      {jitter, {}, "backoff.jitter is 1.5; it is 0 to 1"},
      {{}, {Worker("a"), Worker("a")}, "two children are named \"a\""},
      {{}, {Worker("a b")}, "ChildOptions::name"},
      {{}, {Worker("a", {.mailbox_capacity = 0})}, "mailbox_capacity is 0"},
      {{}, {ChildSpec{.options = {.name = "a"}}}, "Child<A>()"},
  };
  for (const Bad& bad : bads) {
    SCOPED_TRACE(bad.text);
    const Ref<Supervisor> app = Spawn("app", bad.options, bad.children);
    const ExitReason end = EndOf(app.address());
    EXPECT_EQ(end.kind, Kind::kFailed);
    EXPECT_TRUE(absl::StrContains(end.error.message(), bad.text)) << end.error;
    EXPECT_EQ(Take(), "");
  }
}

TEST_F(RestartTest, WithoutANameTheChildrenHaveTheirOwn) {
  const auto app = sim().Spawn<Supervisor>({}, SupervisorOptions(),
                                           std::vector{Worker("alone")});
  sim().RunUntilIdle();
  EXPECT_EQ(*sim().Ask(Find("alone"), Echo{3}, absl::Seconds(1)), 3);
}

}  // namespace
}  // namespace trolley
