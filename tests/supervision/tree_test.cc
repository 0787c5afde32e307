// SPDX-License-Identifier: Apache-2.0
//
// The order of starts and stops, trees, escalation, and the end of the bus.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/supervision/supervision_fixture.h"

namespace trolley {
namespace {

using Kind = ExitReason::Kind;
using TreeTest = SupervisionTest;

// --- Start ------------------------------------------------------------------

TEST_F(TreeTest, P20_ChildrenStartInOrderEachWhenTheOneBeforeIsUp) {
  for (const int loops : {1, 3}) {
    Begin(loops, std::nullopt);
    record().start_takes["a"] = absl::Seconds(2);
    record().start_takes["c"] = absl::Seconds(1);
    const Ref<Supervisor> app =
        Spawn("app", {},
              {Worker<SlowWorker>("a", {.loop = loops - 1}), Worker("b"),
               Worker<SlowWorker>("c", {.loop = loops / 2}),
               Worker("d", {.loop = loops - 1})});
    EXPECT_EQ(StatesOf(app), "a starting, b waiting, c waiting, d waiting");
    EXPECT_EQ(sim().Ask(app, AwaitUp{}, absl::Minutes(1)), absl::OkStatus());
    EXPECT_EQ(TakeTimed(), "+a@0 !a@2 +b@2 +c@2 !c@3 +d@3");
    EXPECT_EQ(StatesOf(app), "a up, b up, c up, d up");
  }
}

TEST_F(TreeTest, P20_AGroupStartsAgainInTheSameOrder) {
  record().start_takes["a"] = absl::Seconds(2);
  const Ref<Supervisor> app =
      Spawn("app", {.strategy = Strategy::kOneForAll, .backoff = kAtOnce},
            {Worker<SlowWorker>("a"), Worker("b")});
  sim().RunFor(absl::Seconds(10));
  Take();
  Tell("app/b", Crash{});
  sim().RunFor(absl::Seconds(10));
  EXPECT_EQ(TakeTimed(), "-b@10 -a@10 +a@10 !a@12 +b@12");
}

TEST_F(TreeTest, P20_AChildMayTellALaterOneBeforeThatIsUp) {
  record().start_takes["a"] = absl::Seconds(1);
  record().on_start["a"] = [this] {
    EXPECT_EQ(sim().bus().Find<TestWorker>("app/b")->Tell(Note{7}),
              Delivery::kAccepted);
  };
  Spawn("app", {}, {Worker<SlowWorker>("a"), Worker("b")});
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(TakeTimed(), "+a@0 !a@1 +b@1 b=7@1");
}

TEST_F(TreeTest, P20_ASupervisorIsUpWhenItsChildrenAre) {
  record().start_takes["x"] = absl::Seconds(1);
  record().start_takes["y"] = absl::Seconds(2);
  const Ref<Supervisor> app =
      Spawn("app", {},
            {Worker("a"),
             Tree("db", {},
                  {Worker<SlowWorker>("x"),
                   Tree("pool", {}, {Worker<SlowWorker>("y")}), Worker("z")}),
             Worker("b")});
  EXPECT_EQ(StatesOf(app), "a up, db starting, b waiting");
  EXPECT_EQ(sim().Ask(app, AwaitUp{}, absl::Minutes(1)), absl::OkStatus());
  EXPECT_EQ(TakeTimed(), "+a@0 +x@0 !x@1 +y@1 !y@3 +z@3 +b@3");
  EXPECT_EQ(*sim().Ask(Find("app/db/pool/y"), Echo{5}, absl::Seconds(1)), 5);
}

TEST_F(TreeTest, P20_AChildThatFailsAtFirstKeepsTheNextWaiting) {
  int left = 1;
  record().on_start["a"] = [&] {
    if (left-- > 0) throw std::runtime_error("not yet");
  };
  Spawn("app", {.backoff = {.first = absl::Seconds(1), .jitter = 0}},
        {Worker("a"), Worker("b")});
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(TakeTimed(), "+a@0 +a@1 +b@1");
}

// --- Stop -------------------------------------------------------------------

TEST_F(TreeTest, P20_ChildrenStopInReverseEachByItsDeadline) {
  for (const int loops : {1, 3}) {
    Begin(loops, std::nullopt);
    const Ref<Supervisor> app = Spawn(
        "app", {},
        {Worker("a"),
         // Its handler takes longer than it may.
         Worker("b", {.loop = loops - 1, .stop_within = absl::Seconds(2)}),
         // Its handler takes less.
         Worker("c", {.stop_within = absl::Seconds(2)}),
         Worker("d",
                {.loop = loops / 2, .stop_within = absl::ZeroDuration()})});
    Take();
    Tell("app/a", Hold{absl::Milliseconds(100)});
    Tell("app/b", Hold{absl::Hours(1)});
    Tell("app/c", Hold{absl::Milliseconds(1500)});
    Tell("app/c", Note{1});
    Tell("app/d", Hold{absl::Hours(1)});
    EXPECT_EQ(sim().Ask(app, StopTree{}, absl::Seconds(1)), absl::OkStatus());
    sim().RunFor(absl::Seconds(10));
    // d: hard at once. c: has 1.5 s. b: is cut off 2 s after its turn.
    EXPECT_EQ(TakeTimed(), "-d@0 c=1@1.5 -c@1.5 -b@3.5 -a@3.5");
    EXPECT_TRUE(Logged("app/b is stopped hard: it has not ended within 2s"));
    EXPECT_FALSE(Logged("app/c is stopped hard"));
    EXPECT_EQ(EndOf(app.address()).kind, Kind::kStopped);
    EXPECT_FALSE(sim().bus().FindAddress("app/a").ok());
  }
}

TEST_F(TreeTest, P20_ATreeStopsInReverseAsAWhole) {
  const Ref<Supervisor> app =
      Spawn("app", {},
            {Worker("a"),
             Tree("db", {},
                  {Worker("x"), Tree("pool", {}, {Worker("y")}),
                   Worker("z", {.stop_within = absl::Seconds(1)})}),
             Worker("b")});
  Take();
  Tell("app/db/z", Hold{absl::Hours(1)});
  app.Tell(StopTree{});
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(TakeTimed(), "-b@0 -z@1 -y@1 -x@1 -a@1");
  EXPECT_EQ(EndOf(app.address()).kind, Kind::kStopped);
}

TEST_F(TreeTest, P20_AStoppedSupervisorClosesItsSeatsInReverse) {
  const Ref<Supervisor> app = Spawn(
      "app", {},
      {Worker("a"), Tree("db", {}, {Worker("x"), Worker("y")}), Worker("b")});
  Take();
  Tell("app/a", Hold{absl::Hours(1)});
  app.Stop();
  sim().RunUntilIdle();
  EXPECT_EQ(EndOf(app.address()).kind, Kind::kStopped);
  for (const char* name : {"app/a", "app/b", "app/db", "app/db/x"}) {
    EXPECT_FALSE(sim().bus().FindAddress(name).ok()) << name;
  }
  // It does not wait for the end of db, which closes the seats of x and y.
  EXPECT_EQ(Take(), "-b -a -y -x");
}

TEST_F(TreeTest, P20_ASupervisorThatIsTooSlowIsStoppedHardWithItsChildren) {
  const Ref<Supervisor> app =
      Spawn("app", {},
            {Worker("a"), Tree("db", {}, {Worker("x"), Worker("y")},
                               {.stop_within = absl::Seconds(2)})});
  Take();
  Tell("app/db/y", Hold{absl::Hours(1)});  // may take 5 s
  app.Tell(StopTree{});
  sim().RunFor(absl::Seconds(3));
  EXPECT_EQ(EndOf(app.address()).kind, Kind::kStopped);
  EXPECT_FALSE(sim().bus().FindAddress("app/db/x").ok());
  EXPECT_EQ(TakeTimed(), "-y@2 -x@2 -a@2");
}

TEST_F(TreeTest, P20_StopTreeStopsAChildThatIsStartingOrWaits) {
  record().start_takes["b"] = absl::Hours(1);
  const Ref<Supervisor> app =
      Spawn("app", {}, {Worker("a"), Worker<SlowWorker>("b"), Worker("c")});
  const auto c = Find("app/c");
  EXPECT_EQ(c.Tell(Note{1}), Delivery::kAccepted);
  app.Tell(StopTree{});
  sim().RunUntilIdle();
  EXPECT_EQ(TakeTimed(), "+a@0 +b@0 -b@0 -a@0");
  EXPECT_EQ(c.Tell(Note{2}), Delivery::kGone);
  EXPECT_EQ(EndOf(app.address()).kind, Kind::kStopped);
}

// The timer of the backoff is due while a child still handles its mailbox.
TEST_F(TreeTest, P20_ABackoffThatIsOverDoesNotEndTheTreeSooner) {
  const Ref<Supervisor> app =
      Spawn("app",
            {.strategy = Strategy::kRestForOne,
             .backoff = {.first = absl::Seconds(1), .jitter = 0}},
            {Worker("a"), Worker("b")});
  Take();
  Tell("app/b", Crash{});
  sim().RunUntilIdle();
  Tell("app/a", Hold{absl::Seconds(3)});
  sim().RunUntilIdle();
  app.Tell(StopTree{});
  sim().RunFor(absl::Seconds(2));
  EXPECT_TRUE(sim().bus().FindAddress("app").ok());
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(TakeTimed(), "-b@0 -a@3");
  EXPECT_EQ(EndOf(app.address()).kind, Kind::kStopped);
}

// --- Escalation -------------------------------------------------------------

TEST_F(TreeTest, P20_FailuresEscalateOverThreeLevels) {
  for (const int loops : {1, 3}) {
    Begin(loops, std::nullopt);
    const SupervisorOptions none = {.max_restarts = 0};
    const Ref<Supervisor> app =
        Spawn("app", {.max_restarts = 1},
              {Worker("before"),
               Tree("mid", none,
                    {Tree("leaf", none,
                          {Worker("w", {.loop = loops - 1}), Worker("v")},
                          {.loop = loops / 2}),
                     Worker("u")})});
    Take();
    const Address leaf = Find("app/mid/leaf").address();
    const Address w = Find("app/mid/leaf/w").address();
    Tell("app/mid/leaf/w", Crash{});
    sim().RunFor(absl::Seconds(1));
    // Each stops its children; then `app` restarts the whole of `mid`.
    EXPECT_EQ(Take(), "-w -v -u +w +v +u");
    EXPECT_EQ(StatesOf(app), "before up, mid up");
    const ChildInfo mid = ChildOf(app, "mid");
    EXPECT_EQ(mid.restarts, 1u);
    EXPECT_EQ(mid.last_exit.kind, Kind::kFailed);
    // The text names what was the reason of all, "w".
    EXPECT_TRUE(absl::StrContains(mid.last_exit.error.message(),
                                  "app/mid/leaf/w: its handler of"))
        << mid.last_exit.error;
    // The children are fresh: other actors of the same name.
    EXPECT_NE(EndOf(leaf).kind, Kind::kUnknown);
    EXPECT_NE(EndOf(w).kind, Kind::kUnknown);
    EXPECT_EQ(*sim().Ask(Find("app/mid/leaf/w"), Echo{1}, absl::Seconds(1)), 1);
    // Once more within 5 s: the root ends, too.
    Tell("app/mid/leaf/v", Crash{});
    sim().RunFor(absl::Seconds(1));
    EXPECT_EQ(Take(), "-v -w -u -before");
    EXPECT_EQ(EndOf(app.address()).kind, Kind::kFailed);
    EXPECT_FALSE(sim().bus().FindAddress("app/before").ok());
  }
}

TEST_F(TreeTest, P20_ASupervisorThatEscalatesStopsItsChildrenByTheirDeadlines) {
  const Ref<Supervisor> app =
      Spawn("app", {.max_restarts = 0},
            {Worker("a"), Worker("b", {.stop_within = absl::Seconds(1)}),
             Worker("c")});
  Take();
  Tell("app/b", Hold{absl::Hours(1)});
  Tell("app/a", Crash{});
  EXPECT_EQ(EndOf(app.address()).kind, Kind::kUnknown);
  EXPECT_EQ(sim().Ask(app, AwaitUp{}, absl::Seconds(9)).code(),
            absl::StatusCode::kUnavailable);
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(TakeTimed(), "-a@0 -c@0 -b@1");
  EXPECT_EQ(EndOf(app.address()).kind, Kind::kFailed);
}

// No restart is possible there.
TEST_F(TreeTest, P20_TheEndOfTheLoopOfAChildEscalates) {
  for (const Restart restart : {Restart::kAlways, Restart::kOnFailure}) {
    Begin(2, std::nullopt);
    const Ref<Supervisor> app =
        Spawn("app", {.backoff = kAtOnce},
              {Worker("a"), Worker("b", {.loop = 1, .restart = restart})});
    Take();
    LoopOf(sim().bus(), 1).End();
    sim().RunFor(absl::Seconds(1));
    const ExitReason end = EndOf(app.address());
    EXPECT_EQ(end.kind, Kind::kFailed);
    EXPECT_TRUE(absl::StrContains(end.error.message(), "app/b")) << end.error;
    EXPECT_EQ(Take(), "-b -a");
  }
}

TEST_F(TreeTest, P20_AGroupRestartsASupervisorWithItsTree) {
  const Ref<Supervisor> app = Spawn(
      "app", {.strategy = Strategy::kRestForOne, .backoff = kAtOnce},
      {Worker("a"), Tree("db", {}, {Worker("x"), Worker("y")}), Worker("b")});
  Take();
  Tell("app/a", Crash{});
  sim().RunUntilIdle();
  EXPECT_EQ(Take(), "-a -b -y -x +a +x +y +b");
  EXPECT_EQ(StatesOf(app), "a up, db up, b up");
}

TEST_F(TreeTest, P20_ASupervisorThatIsToldToStopIsAChildThatHasStopped) {
  const Ref<Supervisor> app =
      Spawn("app", {.backoff = kAtOnce},
            {Tree("db", {}, {Worker("x")}),
             Tree("job", {}, {Worker("y")}, {.restart = Restart::kOnFailure})});
  Take();
  Ref<Supervisor>(Find("app/db").address()).Tell(StopTree{});
  Ref<Supervisor>(Find("app/job").address()).Tell(StopTree{});
  sim().RunFor(absl::Seconds(1));
  EXPECT_EQ(StatesOf(app), "db up, job ended");
}

// --- The end of the bus -----------------------------------------------------

TEST_F(TreeTest, P20_ShutdownStopsTheTreeInReverse) {
  for (const int loops : {1, 3}) {
    Begin(loops, std::nullopt);
    Spawn("app", {.backoff = kAtOnce},
          {Worker("a", {.loop = loops - 1}),
           Tree("db", {}, {Worker("x"), Worker("y", {.loop = loops - 1})},
                {.loop = loops / 2}),
           Worker("b")});
    // The order of the starts is another one now.
    Tell("app/a", Crash{});
    Take();
    EXPECT_TRUE(sim().Finish().clean);
    EXPECT_EQ(Take(), "-b -y -x -a");
  }
}

TEST_F(TreeTest, P20_ShutdownLetsTheChildrenHandleWhatTheyHave) {
  Spawn("app", {}, {Worker("a"), Worker("b")});
  Take();
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(Find("app/a").Tell(Note{i}), Delivery::kAccepted);
  }
  EXPECT_TRUE(sim().Finish().clean);
  EXPECT_EQ(Take(), "a=1 a=2 a=3 -b -a");
}

TEST_F(TreeTest, P20_NothingRestartsWhileTheBusShutsDown) {
  Spawn("app", {.backoff = kAtOnce},
        {Worker("a"), Tree("db", {.backoff = kAtOnce}, {Worker("x")})});
  Take();
  // Both fail in the middle of the shutdown.
  class Killer : public Actor {
   public:
    explicit Killer(std::vector<Ref<TestWorker>> victims)
        : victims_(std::move(victims)) {}
    void OnDrain() override {
      for (const auto& victim : victims_) victim.Tell(Crash{});
    }

   private:
    std::vector<Ref<TestWorker>> victims_;
  };
  sim().Spawn<Killer>({}, std::vector{Find("app/a"), Find("app/db/x")});
  sim().RunUntilIdle();
  sim().Finish();
  std::string events = Take();
  EXPECT_TRUE(events == "-x -a" || events == "-a -x") << events;
}

// The same when the root still waits for b, and has not told db to stop.
TEST_F(TreeTest, P20_NothingRestartsWhileALaterChildIsStillStopping) {
  struct Countdown {
    int left;
  };
  class Busy : public Actor {
   public:
    explicit Busy(Ref<TestWorker> victim) : victim_(std::move(victim)) {}
    void On(const Countdown& m) {
      if (m.left > 0) Self(this).Tell(Countdown{m.left - 1});
    }
    void OnDrain() override {
      victim_.Tell(Crash{});
      Self(this).Tell(Countdown{1000});
    }

   private:
    const Ref<TestWorker> victim_;
  };
  testing::ForEachSeed(20, [&](uint64_t seed) {
    Begin(1, seed);
    const auto busy = [&] { return std::make_unique<Busy>(Find("app/db/x")); };
    Spawn("app", {},
          {Tree("db", {.backoff = kAtOnce}, {Worker("x")}),
           Child<Busy>({.name = "b"}, busy)});
    Take();
    EXPECT_TRUE(sim().Finish().clean);
    EXPECT_EQ(Take(), "-x");
  });
}

// b has an ask to x, which waits for its restart. No restart will come, so the
// ask fails at once, and b need not be waited for.
TEST_F(TreeTest, P20_ShutdownFailsWhatWaitsForARestart) {
  struct AskIt {};
  class Asker : public Actor {
   public:
    Asker(Ref<TestWorker> x, absl::Status* reply)
        : x_(std::move(x)), reply_(*reply) {}
    Task<> On(AskIt) {
      reply_ = (co_await x_.Ask(Echo{1}, absl::Hours(1))).status();
    }

   private:
    const Ref<TestWorker> x_;
    absl::Status& reply_;
  };
  for (const bool is_nested : {false, true}) {
    SCOPED_TRACE(is_nested);
    Begin(2, std::nullopt);
    const SupervisorOptions options = {
        .backoff = {.first = absl::Hours(1), .most = absl::Hours(1)}};
    absl::Status reply = absl::UnknownError("no reply");
    const std::string x = is_nested ? "app/db/x" : "app/x";
    const auto asker = [&] { return std::make_unique<Asker>(Find(x), &reply); };
    Spawn("app", options,
          {is_nested ? Tree("db", options, {Worker("x")}) : Worker("x"),
           Child<Asker>({.name = "b", .loop = 1}, asker)});
    Tell(x, Crash{});
    Ref<Asker>(Find("app/b").address()).Tell(AskIt{});
    sim().RunUntilIdle();
    EXPECT_EQ(reply.code(), absl::StatusCode::kUnknown);
    EXPECT_TRUE(sim().Finish().clean);
    EXPECT_EQ(reply.code(), absl::StatusCode::kNotFound) << reply;
  }
}

// The shutdown comes at each moment of a restart.
TEST_F(TreeTest, P20_ShutdownInTheMiddleOfARestart) {
  struct Moment {
    std::string what;
    absl::Duration after;  // the crash
    std::string states;
    std::string events;
  };
  const Moment moments[] = {
      // b, the last, takes a second to stop.
      {"stopping", absl::Milliseconds(500), "a waiting, b stopping", "-b"},
      {"pausing", absl::Milliseconds(1500), "a waiting, b waiting", ""},
      {"starting", absl::Milliseconds(2500), "a starting, b waiting", "-a"},
  };
  for (const Moment& moment : moments) {
    for (const bool is_nested : {false, true}) {
      SCOPED_TRACE(absl::StrCat(moment.what, ", nested: ", is_nested));
      Begin(1, std::nullopt);
      const SupervisorOptions options = {
          .strategy = Strategy::kOneForAll,
          .backoff = {.first = absl::Seconds(1), .jitter = 0}};
      std::vector<ChildSpec> children = {
          Worker<SlowWorker>("a"),
          Worker("b", {.stop_within = absl::Seconds(1)})};
      Ref<Supervisor> app;
      if (is_nested) {
        Spawn("top", {}, {Tree("app", options, children)});
        app = Ref<Supervisor>(Find("top/app").address());
      } else {
        app = Spawn("top/app", options, children);
      }
      Tell("top/app/b", Hold{absl::Hours(1)});
      Tell("top/app/a", Crash{});
      record().start_takes["a"] = absl::Seconds(1);
      sim().RunFor(moment.after);
      EXPECT_EQ(StatesOf(app), moment.states);
      // They wait in the mailboxes, and nobody will handle them.
      EXPECT_EQ(Find("top/app/a").Tell(Note{1}), Delivery::kAccepted);
      Take();
      const ShutdownReport& report = sim().Finish();
      EXPECT_EQ(Take(), moment.events);
      EXPECT_EQ(report.ledger.queued(), 0u);
      EXPECT_GE(report.ledger.dead_lettered, 1u);
    }
  }
}

}  // namespace
}  // namespace trolley
