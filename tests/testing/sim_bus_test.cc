// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/sim_bus.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/poller/fault_sys.h"

namespace trolley::testing {
namespace {

struct Add {
  int by;
};
struct Get {};
struct GetLater {
  absl::Duration after;
};
struct GetPointer {};
struct Fail {};
struct Forever {};

class Counter : public Actor {
 public:
  void On(const Add& m) { sum_ += m.by; }
  int On(const Get&) { return sum_; }
  Task<int> On(GetLater m) {
    co_await Sleep(m.after);
    co_return sum_;
  }
  std::unique_ptr<int> On(const GetPointer&) {
    return std::make_unique<int>(sum_);
  }
  absl::Status On(const Fail&) { return absl::DataLossError("as told"); }
  Task<> On(Forever) { co_await Sleep(absl::InfiniteDuration()); }

 private:
  int sum_ = 0;
};

struct Fired {
  int number;
  int64_t at_ms;
  friend bool operator==(const Fired&, const Fired&) = default;
};

// Notes when its timers fire.
struct Arm {
  int number;
  absl::Duration after;
};
struct Due {
  int number;
};
class Alarms : public Actor {
 public:
  explicit Alarms(std::vector<Fired>& fired) : fired_(fired) {}
  void On(const Arm& m) { TellAfter(this, m.after, Due{m.number}); }
  void On(const Due& m) {
    fired_.push_back({m.number, context().Now().nanos() / 1'000'000});
  }

 private:
  std::vector<Fired>& fired_;
};

TEST(SimBusTest, TellsArriveWhenTheBusIsRun) {
  SimBus sim;
  auto counter = sim.Spawn<Counter>({});
  counter.Tell(Add{2});
  counter.Tell(Add{3});
  EXPECT_EQ(sim.ledger().handled, 0u);
  const Instant before = sim.Now();
  sim.RunUntilIdle();
  EXPECT_EQ(sim.ledger().handled, 2u);
  EXPECT_EQ(sim.Now(), before);
  EXPECT_TRUE(sim.ledger().Balances());
}

TEST(SimBusTest, AnAskReturnsWhatOnReturns) {
  SimBus sim({.loops = 2});
  auto counter = sim.Spawn<Counter>({.loop = 1});
  EXPECT_EQ(sim.Ask(counter, Add{5}, absl::Seconds(1)), absl::OkStatus());
  const absl::StatusOr<int> got = sim.Ask(counter, Get{}, absl::Seconds(1));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(*got, 5);
  auto pointer = sim.Ask(counter, GetPointer{}, absl::Seconds(1));
  ASSERT_TRUE(pointer.ok());
  EXPECT_EQ(**pointer, 5);
  EXPECT_EQ(sim.Ask(counter, Fail{}, absl::Seconds(1)),
            absl::DataLossError("as told"));
}

TEST(SimBusTest, AnAskOfAProtocolReturnsItsReply) {
  SimBus sim;
  const Ref<Protocol<Add, int(Get)>> counter = sim.Spawn<Counter>({});
  counter.Tell(Add{1});
  EXPECT_EQ(*sim.Ask(counter, Get{}, absl::Seconds(1)), 1);
}

TEST(SimBusTest, AnAskThatSleepsMovesVirtualTime) {
  SimBus sim;
  auto counter = sim.Spawn<Counter>({});
  const Instant before = sim.Now();
  EXPECT_EQ(*sim.Ask(counter, GetLater{absl::Seconds(30)}, absl::Minutes(1)),
            0);
  EXPECT_EQ(sim.Now() - before, absl::Seconds(30));
}

TEST(SimBusTest, AnAskEndsAtItsDeadline) {
  SimBus sim;
  auto counter = sim.Spawn<Counter>({.name = "slow"});
  const Instant before = sim.Now();
  const absl::StatusOr<int> got =
      sim.Ask(counter, GetLater{absl::Hours(1)}, absl::Milliseconds(20));
  EXPECT_EQ(got.status().code(), absl::StatusCode::kDeadlineExceeded)
      << got.status();
  EXPECT_NE(got.status().message().find("slow"), std::string::npos)
      << got.status();
  EXPECT_EQ(sim.Now() - before, absl::Milliseconds(20));
}

// The code under test may block: it has no SimBus to ask.
TEST(SimBusTest, ABlockingAskRunsTheBus) {
  SimBus sim({.loops = 2});
  auto counter = sim.Spawn<Counter>({.name = "slow", .loop = 1});
  const Instant before = sim.Now();
  EXPECT_EQ(*counter.AskAndWait(GetLater{absl::Hours(8)}, absl::Hours(9)), 0);
  EXPECT_EQ(sim.Now() - before, absl::Hours(8));
  const absl::StatusOr<int> late =
      counter.AskAndWait(GetLater{absl::Hours(2)}, absl::Hours(1));
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded)
      << late.status();
  EXPECT_EQ(sim.Now() - before, absl::Hours(9));
  sim.Finish();
  EXPECT_EQ(counter.AskAndWait(Get{}, absl::Seconds(1)).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(SimBusTest, AnAskOfAnEndedActorIsNotFound) {
  SimBus sim;
  auto counter = sim.Spawn<Counter>({});
  counter.Stop();
  sim.RunUntilIdle();
  EXPECT_EQ(sim.Ask(counter, Get{}, absl::Seconds(1)).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(sim.Ask(Ref<Counter>(), Get{}, absl::Seconds(1)).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(SimBusTest, TimersFireInOrderAndOnTime) {
  SimBus sim({.loops = 2});
  std::vector<Fired> fired;
  auto first = sim.Spawn<Alarms>({.loop = 0}, fired);
  auto second = sim.Spawn<Alarms>({.loop = 1}, fired);
  const int64_t start = sim.Now().nanos() / 1'000'000;
  first.Tell(Arm{3, absl::Milliseconds(30)});
  second.Tell(Arm{2, absl::Milliseconds(20)});
  first.Tell(Arm{1, absl::Milliseconds(10)});
  second.Tell(Arm{4, absl::Hours(2)});
  sim.RunUntilIdle();
  EXPECT_TRUE(fired.empty());
  sim.RunFor(absl::Milliseconds(29));
  EXPECT_EQ(fired, (std::vector<Fired>{{1, start + 10}, {2, start + 20}}));
  sim.RunFor(absl::Milliseconds(1));
  EXPECT_EQ(fired.back(), (Fired{3, start + 30}));
  EXPECT_EQ(sim.Now().nanos() / 1'000'000, start + 30);
}

TEST(SimBusTest, ATimerFiresExactlyOnTime) {
  SimBus sim;
  std::vector<Fired> fired;
  auto alarms = sim.Spawn<Alarms>({}, fired);
  const int64_t start = sim.Now().nanos() / 1'000'000;
  alarms.Tell(Arm{2, absl::Milliseconds(14)});
  alarms.Tell(Arm{1, absl::Milliseconds(11)});
  sim.RunFor(absl::Milliseconds(5));  // no timer is due
  EXPECT_EQ(sim.Now().nanos() / 1'000'000, start + 5);
  sim.RunFor(absl::Milliseconds(95));
  EXPECT_EQ(fired, (std::vector<Fired>{{1, start + 11}, {2, start + 14}}));
  EXPECT_EQ(sim.Now().nanos() / 1'000'000, start + 100);
}

TEST(SimBusTest, ActionsOfTheWorldComeOnTime) {
  SimBus sim;
  auto counter = sim.Spawn<Counter>({});
  const Instant at = sim.Now() + absl::Microseconds(2500);
  Instant seen;
  sim.world().At(at, [&] {
    seen = sim.Now();
    counter.Tell(Add{1});
  });
  sim.RunFor(absl::Milliseconds(3));
  EXPECT_EQ(seen, at);
  EXPECT_EQ(sim.ledger().handled, 1u);
}

TEST(SimBusTest, RunUntilStopsWhenItIsDone) {
  SimBus sim;
  std::vector<Fired> fired;
  auto alarms = sim.Spawn<Alarms>({}, fired);
  alarms.Tell(Arm{1, absl::Milliseconds(7)});
  const Instant before = sim.Now();
  EXPECT_TRUE(sim.RunUntil([&] { return !fired.empty(); }, absl::Seconds(1)));
  EXPECT_EQ(sim.Now() - before, absl::Milliseconds(7));
  EXPECT_FALSE(sim.RunUntil([] { return false; }, absl::Milliseconds(3)));
  EXPECT_EQ(sim.Now() - before, absl::Milliseconds(10));
  EXPECT_TRUE(sim.RunUntil([] { return true; }, absl::Seconds(-1)));
  EXPECT_EQ(sim.Now() - before, absl::Milliseconds(10));
}

TEST(SimBusTest, AnInfiniteTimeEndsWithTheLastTimer) {
  SimBus sim;
  std::vector<Fired> fired;
  auto alarms = sim.Spawn<Alarms>({}, fired);
  alarms.Tell(Arm{1, absl::Hours(1)});
  alarms.Tell(Arm{2, absl::InfiniteDuration()});
  sim.RunFor(absl::InfiniteDuration());
  EXPECT_EQ(fired.size(), 1u);
}

TEST(SimBusTest, ASpawnThatIsRefusedFailsTheTest) {
  SimBus sim;
  sim.Spawn<Counter>({.name = "one"});
  Ref<Counter> second;
  EXPECT_NONFATAL_FAILURE(second = sim.Spawn<Counter>({.name = "one"}),
                          "SimBus::Spawn of \"one\": ALREADY_EXISTS");
  EXPECT_FALSE(second);
  EXPECT_EQ(second.Tell(Add{1}), Delivery::kGone);
}

TEST(SimBusTest, FinishReportsAndEndsTheBus) {
  SimBus sim({.loops = 3});
  auto counter = sim.Spawn<Counter>({});
  counter.Tell(Add{1});
  const ShutdownReport& report = sim.Finish();
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_EQ(report.ledger.handled, 1u);
  EXPECT_EQ(&sim.Finish(), &report);
  EXPECT_NE(counter.Tell(Add{1}), Delivery::kAccepted);
  const Instant before = sim.Now();
  sim.RunUntilIdle();
  sim.RunFor(absl::Hours(1));
  EXPECT_EQ(sim.Now(), before);
  EXPECT_EQ(sim.Ask(counter, Get{}, absl::Seconds(1)).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(SimBusTest, TheLedgerBalancesWhenHandlersAreCutOff) {
  SimBus sim;
  auto counter = sim.Spawn<Counter>({});
  counter.Tell(Forever{});
  counter.Tell(Add{1});
  sim.RunUntilIdle();
  EXPECT_EQ(sim.ledger().queued(), 2u);
  const ShutdownReport& report = sim.Finish();
  EXPECT_FALSE(report.clean);
  EXPECT_EQ(report.ledger.dead_lettered, 2u);
}

TEST(SimBusTest, ALedgerThatDoesNotBalanceFailsTheTestAndNamesTheSeed) {
  const Ledger lost = {.attempted = 2, .accepted = 2, .handled = 1};
  EXPECT_NONFATAL_FAILURE(ExpectBalanced(lost, 77), "does not balance");
  EXPECT_NONFATAL_FAILURE(ExpectBalanced(lost, 77), "TROLLEY_SEED=77");
  ExpectBalanced({.attempted = 2, .accepted = 1, .refused = 1, .handled = 1},
                 77);
}

TEST(SimBusDeathTest, AFailedTestPrintsItsSeedAtTheEnd) {
  EXPECT_EXIT(
      {
        {
          SimBus sim({.seed = 4242});
          ADD_FAILURE() << "on purpose, in the child of a death test";
        }
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "seed 4242; run it again by: .*=4242");
}

TEST(SimBusDeathTest, OptionsThatNoBusCanHaveEndTheProcess) {
  EXPECT_EXIT(SimBus sim({.loops = 0}), ::testing::ExitedWithCode(EXIT_FAILURE),
              "loops");
}

TEST(SimBusTest, AdjustChangesTheOptionsOfTheBus) {
  std::vector<std::string> lines;
  std::unique_ptr<FaultSys> faults;
  SimBus sim({.adjust = [&](BusOptions& options) {
    options.log = [&](absl::string_view line) { lines.emplace_back(line); };
    options.loops[0].max_actors = 1;
    faults = std::make_unique<FaultSys>(*options.for_tests.sys);
    options.for_tests.sys = faults.get();
  }});
  sim.bus().Log("hello");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("hello"), std::string::npos);
  EXPECT_EQ(&sim.bus().sys(), faults.get());
  sim.Spawn<Counter>({});
  EXPECT_NONFATAL_FAILURE(sim.Spawn<Counter>({}), "RESOURCE_EXHAUSTED");
  sim.Finish();  // before what it uses
}

// --- The seed ---

struct Go {};
struct Mark {
  int from;
};

class Recorder : public Actor {
 public:
  explicit Recorder(std::vector<int>& order) : order_(order) {}
  void On(const Mark& m) { order_.push_back(m.from); }

 private:
  std::vector<int>& order_;
};

// Sends itself on, and a mark each time.
class Marker : public Actor {
 public:
  Marker(int number, Ref<Recorder> to) : number_(number), to_(std::move(to)) {}
  void On(const Go&) {
    to_.Tell(Mark{number_});
    if (--left_ > 0) Self(this).Tell(Go{});
  }

 private:
  const int number_;
  const Ref<Recorder> to_;
  int left_ = 50;
};

// Who marked, in the order in which the marks arrived.
std::vector<int> OrderOf(uint64_t seed, bool vary_turns = true) {
  std::vector<int> order;
  SimBus sim({.loops = 2, .seed = seed, .vary_turns = vary_turns});
  auto recorder = sim.Spawn<Recorder>({.loop = 0}, order);
  for (int i = 0; i < 4; ++i) {
    sim.Spawn<Marker>({.loop = i % 2}, i, recorder).Tell(Go{});
  }
  sim.RunUntilIdle();
  return order;
}

TEST(SimBusTest, TheSameSeedGivesTheSameOrder) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const std::vector<int> once = OrderOf(seed);
    ASSERT_EQ(once.size(), 200u);
    EXPECT_EQ(once, OrderOf(seed)) << "seed " << seed;
  }
}

TEST(SimBusTest, DifferentSeedsGiveDifferentOrders) {
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 1; seed <= 20; ++seed) orders.insert(OrderOf(seed));
  EXPECT_GT(orders.size(), 10u);
}

TEST(SimBusTest, WithoutVaryTurnsTheOrderIsAlwaysTheSame) {
  EXPECT_EQ(OrderOf(1, /*vary_turns=*/false), OrderOf(2, false));
}

}  // namespace
}  // namespace trolley::testing
