// SPDX-License-Identifier: Apache-2.0
//
// What a supervisor answers and does when it is asked.

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/tests/supervision/supervision_fixture.h"

namespace trolley {
namespace {

using Code = absl::StatusCode;
using Kind = ExitReason::Kind;

class AsksTest : public SupervisionTest {
 protected:
  // Asks and does not run the bus.
  template <typename M>
  std::shared_ptr<std::optional<absl::Status>> Begun(
      const Ref<Supervisor>& supervisor, M message) {
    auto reply = std::make_shared<std::optional<absl::Status>>();
    supervisor.AskThen(std::move(message), absl::Hours(9), [reply](auto got) {
      if constexpr (requires { got.status(); }) {
        *reply = got.status();
      } else {
        *reply = std::move(got);
      }
    });
    return reply;
  }
  absl::Status Ask(const Ref<Supervisor>& supervisor, StopChild m) {
    return sim().Ask(supervisor, std::move(m), absl::Minutes(1));
  }
  absl::Status Ask(const Ref<Supervisor>& supervisor, RestartChild m) {
    return sim().Ask(supervisor, std::move(m), absl::Minutes(1));
  }
  absl::StatusOr<Address> Ask(const Ref<Supervisor>& supervisor, StartChild m) {
    return sim().Ask(supervisor, std::move(m), absl::Minutes(1));
  }
};

TEST_F(AsksTest, GetChildrenTellsWhatEachOfThemIs) {
  record().start_takes["c"] = absl::Seconds(1);
  const Ref<Supervisor> app =
      Spawn("app", {.backoff = kAtOnce},
            {Worker("a"), Worker("b", {.restart = Restart::kNever}),
             Worker<SlowWorker>("c")});
  Tell("app/a", Crash{});
  Tell("app/b", Leave{});
  const std::vector<ChildInfo> children = ChildrenOf(app);
  ASSERT_EQ(children.size(), 3u);
  EXPECT_EQ(children[0].name, "a");
  EXPECT_EQ(children[0].address, Find("app/a").address());
  EXPECT_EQ(children[0].state, ChildState::kUp);
  EXPECT_EQ(children[0].restarts, 1u);
  EXPECT_EQ(children[0].last_exit.kind, Kind::kFailed);
  EXPECT_TRUE(absl::StrContains(children[0].last_exit.error.message(), "boom"));
  EXPECT_EQ(children[1].state, ChildState::kEnded);
  EXPECT_FALSE(children[1].address);
  EXPECT_EQ(children[1].restarts, 0u);
  EXPECT_EQ(children[1].last_exit.kind, Kind::kStopped);
  EXPECT_EQ(children[2].state, ChildState::kStarting);
  EXPECT_EQ(children[2].last_exit.kind, Kind::kUnknown);
}

TEST_F(AsksTest, AwaitUpWaitsForAllOfThem) {
  record().start_takes["a"] = absl::Seconds(2);
  const Ref<Supervisor> app =
      Spawn("app", {}, {Worker<SlowWorker>("a"), Worker("b")});
  EXPECT_EQ(sim().Ask(app, AwaitUp{}, absl::Seconds(1)).code(),
            Code::kDeadlineExceeded);
  EXPECT_EQ(sim().Ask(app, AwaitUp{}, absl::Seconds(2)), absl::OkStatus());
  Tell("app/b", Crash{});
  EXPECT_EQ(StatesOf(app), "a up, b waiting");
  EXPECT_EQ(sim().Ask(app, AwaitUp{}, absl::Seconds(1)), absl::OkStatus());
  EXPECT_EQ(StatesOf(app), "a up, b up");
  // Without children, or with children that have ended.
  const Ref<Supervisor> none = Spawn("none", {}, {});
  EXPECT_EQ(sim().Ask(none, AwaitUp{}, absl::Seconds(1)), absl::OkStatus());
}

// --- StartChild -------------------------------------------------------------

TEST_F(AsksTest, StartChildAddsOneAtTheEnd) {
  const Ref<Supervisor> app =
      Spawn("app", {.strategy = Strategy::kRestForOne, .backoff = kAtOnce},
            {Worker("a")});
  record().start_takes["n"] = absl::Seconds(1);
  auto reply = Begun(app, StartChild{Worker<SlowWorker>("n")});
  sim().RunUntilIdle();
  EXPECT_FALSE(reply->has_value()) << "it is not up yet";
  sim().RunFor(absl::Seconds(2));
  ASSERT_TRUE(reply->has_value());
  EXPECT_EQ(**reply, absl::OkStatus());
  const absl::StatusOr<Address> m = Ask(app, StartChild{Worker("m")});
  ASSERT_TRUE(m.ok()) << m.status();
  EXPECT_EQ(*sim().Ask(Ref<TestWorker>(*m), Echo{2}, absl::Seconds(1)), 2);
  EXPECT_EQ(m->ToString(), "app/m");
  Take();
  // It is one of them.
  Tell("app/n", Crash{});
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(Take(), "-n -m +n !n +m");
  EXPECT_EQ(StatesOf(app), "a up, n up, m up");
}

TEST_F(AsksTest, StartChildThatFailsIsForgottenAndDoesNotCount) {
  const Ref<Supervisor> app = Spawn("app", {.max_restarts = 0}, {Worker("a")});
  record().on_start["n"] = [] { throw std::runtime_error("no disk"); };
  for (int i = 0; i < 3; ++i) {
    const absl::StatusOr<Address> n = Ask(app, StartChild{Worker("n")});
    EXPECT_EQ(n.status().code(), Code::kAborted);
    EXPECT_TRUE(absl::StrContains(n.status().message(), "no disk"))
        << n.status();
  }
  EXPECT_EQ(StatesOf(app), "a up");
  record().on_start.clear();
  EXPECT_TRUE(Ask(app, StartChild{Worker("n")}).ok());
  EXPECT_EQ(StatesOf(app), "a up, n up");
}

TEST_F(AsksTest, StartChildSaysWhatIsWrong) {
  const Ref<Supervisor> app = Spawn("app", {.max_children = 2}, {Worker("a")});
  EXPECT_EQ(Ask(app, StartChild{Worker("A B")}).status().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(Ask(app, StartChild{Worker("x", {.loop = 9})}).status().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(Ask(app, StartChild{Worker("a")}).status().code(),
            Code::kAlreadyExists);
  sim().Spawn<TestWorker>({.name = "app/x"}, &record(), "x");
  EXPECT_EQ(Ask(app, StartChild{Worker("x")}).status().code(),
            Code::kAlreadyExists);
  EXPECT_TRUE(Ask(app, StartChild{Worker("b")}).ok());
  const absl::Status full = Ask(app, StartChild{Worker("c")}).status();
  EXPECT_EQ(full.code(), Code::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains(full.message(), "max_children")) << full;
  EXPECT_EQ(StatesOf(app), "a up, b up");
}

TEST_F(AsksTest, AChildOfStartChildIsForgottenWhenItHasEnded) {
  const Ref<Supervisor> app = Spawn("app", {.max_children = 3}, {Worker("a")});
  for (int i = 0; i < 10; ++i) {  // more than there is room for
    ASSERT_TRUE(
        Ask(app, StartChild{Worker("n", {.restart = Restart::kNever})}).ok());
    ASSERT_TRUE(Ask(app, StartChild{Worker("m")}).ok());
    Tell("app/n", Crash{});
    EXPECT_EQ(StatesOf(app), "a up, m up");
    EXPECT_EQ(Ask(app, StopChild{"m"}), absl::OkStatus());
    EXPECT_EQ(StatesOf(app), "a up");
  }
}

TEST_F(AsksTest, StartChildWaitsForItsTurn) {
  record().start_takes["a"] = absl::Seconds(2);
  const Ref<Supervisor> app = Spawn("app", {}, {Worker<SlowWorker>("a")});
  EXPECT_TRUE(Ask(app, StartChild{Worker("n")}).ok());
  EXPECT_EQ(TakeTimed(), "+a@0 !a@2 +n@2");
}

// --- StopChild and RestartChild ---------------------------------------------

TEST_F(AsksTest, P20_StopChildEndsItForGoodAndRestartChildBringsItBack) {
  const Ref<Supervisor> app =
      Spawn("app", {.strategy = Strategy::kOneForAll, .backoff = kAtOnce},
            {Worker("a"), Worker("b"), Worker("c")});
  Take();
  const Ref<TestWorker> b = Find("app/b");
  EXPECT_EQ(b.Tell(Note{1}), Delivery::kAccepted);
  EXPECT_EQ(Ask(app, StopChild{"b"}), absl::OkStatus());
  EXPECT_EQ(Take(), "b=1 -b");  // and the others go on
  EXPECT_EQ(b.Tell(Note{2}), Delivery::kGone);
  EXPECT_FALSE(sim().bus().FindAddress("app/b").ok());
  EXPECT_EQ(Ask(app, StopChild{"b"}), absl::OkStatus());
  // A restart of the group leaves it alone.
  Tell("app/a", Crash{});
  sim().RunUntilIdle();
  EXPECT_EQ(Take(), "-a -c +a +c");
  EXPECT_EQ(Ask(app, RestartChild{"b"}), absl::OkStatus());
  EXPECT_EQ(Take(), "+b");
  EXPECT_NE(Find("app/b").address(), b.address());
  EXPECT_EQ(StatesOf(app), "a up, b up, c up");
}

TEST_F(AsksTest, P20_RestartChildKeepsTheAddressAndDoesNotCount) {
  const Ref<Supervisor> app =
      Spawn("app", {.strategy = Strategy::kOneForAll, .max_restarts = 0},
            {Worker("a"), Worker("b")});
  const Ref<TestWorker> a = Find("app/a");
  Take();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(a.Tell(Note{i}), Delivery::kAccepted);
    EXPECT_EQ(Ask(app, RestartChild{"a"}), absl::OkStatus());
    EXPECT_EQ(Take(), absl::StrCat("a=", i, " -a +a"));
  }
  EXPECT_EQ(Find("app/a").address(), a.address());
  EXPECT_EQ(ChildOf(app, "a").restarts, 5u);
}

TEST_F(AsksTest, RestartChildCutsTheBackoffShort) {
  const Ref<Supervisor> app = Spawn(
      "app", {.backoff = {.first = absl::Hours(1), .most = absl::Hours(1)}},
      {Worker("a"), Worker("b")});
  Take();
  Tell("app/a", Crash{});
  EXPECT_EQ(Ask(app, RestartChild{"a"}), absl::OkStatus());
  EXPECT_EQ(TakeTimed(), "-a@0 +a@0");
  sim().RunFor(absl::Hours(2));  // the backoff does not start another one
  EXPECT_EQ(Take(), "");
}

// While a later child waits for its backoff, an earlier one is restarted.
TEST_F(AsksTest, RestartChildDoesNotWaitForAGroup) {
  const Ref<Supervisor> app =
      Spawn("app",
            {.strategy = Strategy::kRestForOne,
             .backoff = {.first = absl::Seconds(10), .jitter = 0}},
            {Worker("a"), Worker("b"), Worker("c")});
  EXPECT_EQ(Ask(app, StopChild{"b"}), absl::OkStatus());
  Tell("app/c", Crash{});
  Take();
  EXPECT_EQ(Ask(app, RestartChild{"a"}), absl::OkStatus());
  EXPECT_EQ(Ask(app, RestartChild{"b"}), absl::OkStatus());
  EXPECT_EQ(TakeTimed(), "-a@0 +a@0 +b@0");
  EXPECT_EQ(StatesOf(app), "a up, b up, c waiting");
  // One of the group has its turn.
  EXPECT_EQ(Ask(app, RestartChild{"c"}), absl::OkStatus());
  EXPECT_EQ(TakeTimed(), "+c@10");
}

TEST_F(AsksTest, RestartChildOfAStartingChildWaitsUntilItIsUp) {
  record().start_takes["a"] = absl::Seconds(1);
  const Ref<Supervisor> app = Spawn("app", {}, {Worker<SlowWorker>("a")});
  EXPECT_EQ(Ask(app, RestartChild{"a"}), absl::OkStatus());
  EXPECT_EQ(TakeTimed(), "+a@0 !a@1");
}

TEST_F(AsksTest, TwoAsksForOneChild) {
  const Ref<Supervisor> app =
      Spawn("app", {}, {Worker("a", {.stop_within = absl::Seconds(1)})});
  Tell("app/a", Hold{absl::Hours(1)});
  auto first = Begun(app, RestartChild{"a"});
  auto second = Begun(app, RestartChild{"a"});
  sim().RunUntilIdle();
  auto stop = Begun(app, StopChild{"a"});  // it wins
  sim().RunUntilIdle();
  ASSERT_TRUE(first->has_value() && second->has_value());
  EXPECT_EQ((*first)->code(), Code::kAborted);
  EXPECT_EQ((*second)->code(), Code::kAborted);
  EXPECT_FALSE(stop->has_value());
  auto late = Begun(app, RestartChild{"a"});
  sim().RunUntilIdle();
  ASSERT_TRUE(late->has_value());
  EXPECT_EQ((*late)->code(), Code::kUnavailable);
  sim().RunFor(absl::Seconds(2));
  ASSERT_TRUE(stop->has_value());
  EXPECT_EQ(**stop, absl::OkStatus());
  EXPECT_EQ(StatesOf(app), "a ended");
  EXPECT_EQ(Ask(app, RestartChild{"a"}), absl::OkStatus());
}

TEST_F(AsksTest, StopChildWhileItWaitsOrStarts) {
  record().start_takes["b"] = absl::Hours(1);
  const Ref<Supervisor> app =
      Spawn("app", {.backoff = {.first = absl::Hours(1)}},
            {Worker("a"), Worker<SlowWorker>("b"), Worker("c")});
  Tell("app/a", Crash{});
  EXPECT_EQ(StatesOf(app), "a waiting, b starting, c waiting");
  EXPECT_EQ(Ask(app, StopChild{"a"}), absl::OkStatus());
  EXPECT_EQ(Ask(app, StopChild{"b"}), absl::OkStatus());
  // And c has its turn.
  EXPECT_EQ(TakeTimed(), "+a@0 +b@0 -a@0 -b@0 +c@0");
  EXPECT_EQ(StatesOf(app), "a ended, b ended, c up");
}

TEST_F(AsksTest, StopChildStopsATree) {
  const Ref<Supervisor> app =
      Spawn("app", {}, {Tree("db", {}, {Worker("x"), Worker("y")})});
  Take();
  EXPECT_EQ(Ask(app, StopChild{"db"}), absl::OkStatus());
  EXPECT_EQ(Take(), "-y -x");
  EXPECT_EQ(Ask(app, RestartChild{"db"}), absl::OkStatus());
  EXPECT_EQ(Take(), "+x +y");
}

TEST_F(AsksTest, AnUnknownChildIsNotFound) {
  const Ref<Supervisor> app = Spawn("app", {}, {Worker("a")});
  for (const absl::Status& status :
       {Ask(app, StopChild{"app/a"}), Ask(app, RestartChild{"b"})}) {
    EXPECT_EQ(status.code(), Code::kNotFound);
    EXPECT_TRUE(absl::StrContains(status.message(), "app has no child"))
        << status;
  }
}

TEST_F(AsksTest, P20_ASupervisorThatEndsRefusesThem) {
  const Ref<Supervisor> app = Spawn("app", {}, {Worker("a"), Worker("b")});
  Tell("app/b", Hold{absl::Hours(1)});
  auto waiting = Begun(app, RestartChild{"b"});
  sim().RunUntilIdle();
  app.Tell(StopTree{});
  sim().RunUntilIdle();
  EXPECT_EQ(Ask(app, StopChild{"a"}).code(), Code::kUnavailable);
  EXPECT_EQ(Ask(app, RestartChild{"a"}).code(), Code::kUnavailable);
  EXPECT_EQ(Ask(app, StartChild{Worker("c")}).status().code(),
            Code::kUnavailable);
  EXPECT_EQ(sim().Ask(app, AwaitUp{}, absl::Seconds(1)).code(),
            Code::kUnavailable);
  EXPECT_EQ(StatesOf(app), "a up, b stopping");
  sim().RunFor(absl::Seconds(6));
  EXPECT_EQ(EndOf(app.address()).kind, Kind::kStopped);
  ASSERT_TRUE(waiting->has_value());
  EXPECT_EQ((*waiting)->code(), Code::kAborted) << **waiting;
}

// An ask whose deadline has passed does not undo what it has begun.
TEST_F(AsksTest, AnAskThatGivesUpLeavesNothingBehind) {
  const Ref<Supervisor> app =
      Spawn("app", {}, {Worker("a", {.stop_within = absl::Seconds(1)})});
  Tell("app/a", Hold{absl::Hours(1)});
  EXPECT_EQ(sim().Ask(app, RestartChild{"a"}, absl::Milliseconds(1)).code(),
            Code::kDeadlineExceeded);
  EXPECT_EQ(StatesOf(app), "a stopping");
  sim().RunFor(absl::Seconds(2));
  EXPECT_EQ(StatesOf(app), "a up");
  EXPECT_EQ(ChildOf(app, "a").restarts, 1u);
}

}  // namespace
}  // namespace trolley
