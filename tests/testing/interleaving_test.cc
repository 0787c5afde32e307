// SPDX-License-Identifier: Apache-2.0
//
// P18: the order in which the loops of a SimBus have their turns.

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/choices.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley::testing {
namespace {

struct Go {
  int left = 0;
};
struct Stop {};
struct Later {};

// Notes what it handles, and plays with the others: it passes the message on,
// asks, sleeps, or sends many.
class Player : public Actor {
 public:
  Player(int number, SimBus& sim, std::vector<Ref<Player>>& all)
      : number_(number), sim_(sim), all_(all) {}

  Task<> On(Go go) {
    sim_.Note(absl::StrCat("player ", number_, " has ", go.left));
    if (go.left == 0) co_return;
    const Ref<Player> next = all_[(number_ + go.left) % all_.size()];
    switch (go.left % 4) {
      case 0:
        co_await Sleep(absl::Microseconds(go.left));
        break;
      case 1: {
        const absl::StatusOr<int> reply =
            co_await next.Ask(Later{}, absl::Seconds(1));
        sim_.Note(absl::StrCat("reply ", reply.value_or(-1)));
        break;
      }
      case 2:
        for (int i = 0; i < 5; ++i) next.Tell(Later{});
        break;
      default:
        break;
    }
    Go less{go.left - 1};
    next.Tell(std::move(less));
  }
  int On(const Later&) { return ++handled_ * 10 + number_; }

 private:
  const int number_;
  SimBus& sim_;
  std::vector<Ref<Player>>& all_;
  int handled_ = 0;
};

struct Played {
  std::string trace;
  uint64_t hash;
  friend auto operator<=>(const Played&, const Played&) = default;
};

Played Play(uint64_t seed, int loops) {
  SimBus sim({.loops = loops, .seed = seed, .trace_lines = 10'000});
  std::vector<Ref<Player>> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(sim.Spawn<Player>({.loop = i % loops}, i, sim, all));
  }
  for (const Ref<Player>& player : all) player.Tell(Go{12});
  sim.RunFor(absl::Seconds(20));
  sim.Finish();  // before `all`
  EXPECT_EQ(sim.trace().left_out(), 0u);
  return {sim.trace().ToString(), sim.trace().hash()};
}

// The full size is 1,000 seeds.
TEST(InterleavingTest, P18_TheSameSeedGivesTheSameTrace) {
  std::set<Played> different;  // with more than one loop
  size_t with_loops = 0;
  ForEachSeed(100, [&](uint64_t seed) {
    const int loops = 1 + static_cast<int>(seed % 4);
    const Played once = Play(seed, loops);
    const Played again = Play(seed, loops);
    ASSERT_EQ(once.trace, again.trace);
    ASSERT_EQ(once.hash, again.hash);
    if (loops == 1) return;
    different.insert(once);
    ++with_loops;
  });
  EXPECT_GE(different.size() * 10, with_loops * 9)
      << "the seed decides too little";
}

TEST(InterleavingTest, P18_TheSameChoicesGiveTheSameTrace) {
  const auto play = [](Choices& choices) {
    SimBus sim({.loops = 3, .choices = &choices, .trace_lines = 10'000});
    std::vector<Ref<Player>> all;
    for (int i = 0; i < 4; ++i) {
      all.push_back(sim.Spawn<Player>({.loop = i % 3}, i, sim, all));
    }
    for (const Ref<Player>& player : all) player.Tell(Go{12});
    sim.RunFor(absl::Seconds(20));
    sim.Finish();  // before `all`
    return sim.trace().ToString();
  };
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Choices first(seed);
    const std::string once = play(first);
    Choices again(seed, first.recorded());
    ASSERT_EQ(play(again), once) << "seed " << seed;
  }
}

// --- Which orders there are ---

struct Mark {
  int from;
};
class Marker : public Actor {
 public:
  Marker(int number, std::vector<int>& order)
      : number_(number), order_(order) {}
  void On(const Go& go) {
    order_.push_back(number_);
    Go less{go.left - 1};
    if (go.left > 1) Self(this).Tell(std::move(less));
  }

 private:
  const int number_;
  std::vector<int>& order_;
};

// One actor for each loop; each handles `messages`. Returns whose they were.
std::vector<int> OrderOf(SimBusOptions options, int messages) {
  std::vector<int> order;
  SimBus sim(options);
  std::vector<Ref<Marker>> all;
  for (int i = 0; i < options.loops; ++i) {
    all.push_back(sim.Spawn<Marker>({.loop = i}, i, order));
  }
  sim.RunUntilIdle();
  for (const Ref<Marker>& marker : all) marker.Tell(Go{messages});
  sim.RunUntilIdle();
  return order;
}

TEST(InterleavingTest, EveryOrderOfThreeLoopsComes) {
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    orders.insert(OrderOf({.loops = 3, .seed = seed}, 1));
  }
  EXPECT_EQ(orders.size(), 6u);
}

TEST(InterleavingTest, ALoopMayHaveSeveralTurnsBeforeAnother) {
  bool twice = false;
  bool alternating = false;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const std::vector<int> order =
        OrderOf({.loops = 2,
                 .seed = seed,
                 .adjust =
                     [](BusOptions& options) {
                       for (LoopOptions& loop : options.loops) {
                         loop.messages_per_turn = 1;
                       }
                     }},
                2);
    ASSERT_EQ(order.size(), 4u);
    twice |= order[0] == order[1];
    alternating |= order[0] != order[1];
  }
  EXPECT_TRUE(twice);
  EXPECT_TRUE(alternating);
}

TEST(InterleavingTest, WithoutChoicesTheOrderIsThePlainOne) {
  for (int loops = 1; loops <= 4; ++loops) {
    Choices none(1, {});
    EXPECT_EQ(OrderOf({.loops = loops, .choices = &none}, 200),
              OrderOf({.loops = loops, .vary_turns = false}, 200));
  }
}

TEST(InterleavingTest, WithoutVaryTurnsNothingIsDrawn) {
  Choices choices(3);
  OrderOf({.loops = 3, .vary_turns = false, .choices = &choices}, 5);
  EXPECT_TRUE(choices.recorded().turns.empty());
  OrderOf({.loops = 3, .choices = &choices}, 5);
  EXPECT_FALSE(choices.recorded().turns.empty());
}

TEST(InterleavingTest, OneLoopHasNoOrderToDraw) {
  Choices choices(3);
  OrderOf({.loops = 1, .choices = &choices}, 100);
  EXPECT_EQ(choices.recorded().turns.size(), 2u);  // of the turn and the slice
}

// --- No loop is forgotten ---

// Has work until it is told to stop.
class Restless : public Actor {
 public:
  void On(const Go&) {
    if (!stopped_) Self(this).Tell(Go{});
  }
  void On(const trolley::testing::Stop&) { stopped_ = true; }

 private:
  bool stopped_ = false;
};
class Stopper : public Actor {
 public:
  explicit Stopper(Ref<Restless> restless) : restless_(std::move(restless)) {}
  void On(const Go&) { restless_.Tell(trolley::testing::Stop{}); }

 private:
  const Ref<Restless> restless_;
};

void RunRestless(Choices& choices) {
  SimBus sim({.loops = 2, .choices = &choices});
  auto restless = sim.Spawn<Restless>({.loop = 0});
  auto stopper = sim.Spawn<Stopper>({.loop = 1}, restless);
  restless.Tell(Go{});
  stopper.Tell(Go{});
  sim.RunUntilIdle();  // ends only if both have their turns
  EXPECT_EQ(sim.ledger().queued(), 0u);
}

TEST(InterleavingTest, ALoopThatAlwaysHasWorkDoesNotKeepTheOthers) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Choices choices(seed);
    RunRestless(choices);
  }
  Choices plain(1, {});
  RunRestless(plain);
  // The loop that had work has as many further turns as it can have.
  Choices unfair(1, {.turns = std::vector<uint64_t>(100'000, UINT64_MAX)});
  RunRestless(unfair);
}

// --- A loop that is held ---

class Echo : public Actor {
 public:
  explicit Echo(std::vector<Instant>& handled) : handled_(handled) {}
  void On(const Go&) { handled_.push_back(context().Now()); }
  void On(const Later&) { TellAfter(this, absl::Milliseconds(10), Go{}); }

 private:
  std::vector<Instant>& handled_;
};

class HoldTest : public ::testing::Test {
 protected:
  HoldTest() {
    slow_ = sim_.Spawn<Echo>({.loop = 0}, at_slow_);
    other_ = sim_.Spawn<Echo>({.loop = 1}, at_other_);
    sim_.RunUntilIdle();
  }
  absl::Duration SinceBegin(Instant at) const { return at - begin_; }

  std::vector<Instant> at_slow_, at_other_;
  SimBus sim_{{.loops = 2}};
  Ref<Echo> slow_, other_;
  const Instant begin_ = sim_.Now();
};

TEST_F(HoldTest, MessagesWaitUntilTheLoopGoesOn) {
  sim_.HoldLoop(0, absl::Seconds(2));
  slow_.Tell(Go{});
  other_.Tell(Go{});
  sim_.RunUntilIdle();
  EXPECT_EQ(at_slow_.size(), 0u);
  EXPECT_EQ(at_other_.size(), 1u);
  sim_.RunFor(absl::Seconds(2) - absl::Nanoseconds(1));
  EXPECT_EQ(at_slow_.size(), 0u);
  sim_.RunFor(absl::Nanoseconds(1));
  ASSERT_EQ(at_slow_.size(), 1u);
  EXPECT_EQ(SinceBegin(at_slow_[0]), absl::Seconds(2));
}

TEST_F(HoldTest, ItsTimersAreLateAndThoseOfOthersAreNot) {
  slow_.Tell(Later{});
  other_.Tell(Later{});
  sim_.RunUntilIdle();
  sim_.HoldLoop(0, absl::Seconds(1));
  sim_.RunFor(absl::Seconds(5));
  ASSERT_EQ(at_slow_.size(), 1u);
  ASSERT_EQ(at_other_.size(), 1u);
  EXPECT_EQ(SinceBegin(at_slow_[0]), absl::Seconds(1));
  EXPECT_EQ(SinceBegin(at_other_[0]), absl::Milliseconds(10));
}

TEST_F(HoldTest, AnAskOfItsActorsIsLate) {
  sim_.HoldLoop(0, absl::Seconds(2));
  const absl::Status status = sim_.Ask(slow_, Go{}, absl::Seconds(1));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_EQ(sim_.Ask(slow_, Go{}, absl::Seconds(5)), absl::OkStatus());
}

TEST_F(HoldTest, ALaterHoldReplacesAnEarlierOne) {
  sim_.HoldLoop(0, absl::InfiniteDuration());
  slow_.Tell(Go{});
  sim_.RunFor(absl::Hours(1));
  EXPECT_EQ(at_slow_.size(), 0u);
  sim_.HoldLoop(0, absl::ZeroDuration());
  sim_.RunUntilIdle();
  EXPECT_EQ(at_slow_.size(), 1u);
}

TEST_F(HoldTest, FinishLetsItGoOn) {
  sim_.HoldLoop(0, absl::InfiniteDuration());
  sim_.HoldLoop(1, absl::InfiniteDuration());
  slow_.Tell(Go{});
  other_.Tell(Go{});
  sim_.RunFor(absl::InfiniteDuration());  // no timer is left, so it returns
  const ShutdownReport& report = sim_.Finish();
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_EQ(report.ledger.handled, 2u);
}

TEST_F(HoldTest, ALoopThatDoesNotExistFailsTheTest) {
  EXPECT_NONFATAL_FAILURE(sim_.HoldLoop(2, absl::Seconds(1)),
                          "there is no loop 2; the bus has the loops 0 to 1");
  EXPECT_NONFATAL_FAILURE(sim_.HoldLoop(-1, absl::Seconds(1)), "loop -1");
}

}  // namespace
}  // namespace trolley::testing
