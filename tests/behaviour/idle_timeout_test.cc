// SPDX-License-Identifier: Apache-2.0
//
// IdleTimeout in virtual time.

#include "trolley/actors/behaviour/idle_timeout.h"

#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using trolley::testing::SimBus;

constexpr absl::Duration kSecond = absl::Seconds(1);
constexpr absl::Duration kMs = absl::Milliseconds(1);

struct Request {};
struct Health {};
struct Limit {
  absl::Duration limit;
};
struct Cease {};
struct Hold {
  absl::Duration length;
};

struct Told {
  Instant origin;
  std::vector<absl::Duration> at;     // each Idle that was not too late
  std::vector<absl::Duration> stale;  // each one that was
};

class Session : public Actor {
 public:
  explicit Session(Told* told) : told_(*told) {}

  void On(const Limit& m) { idle_.Start(this, m.limit); }
  void On(const Cease&) { idle_.Stop(); }
  void On(const Request&) { idle_.Touch(); }
  void On(const Health&) {}
  Task<> On(Hold m) { co_await Sleep(m.length); }
  void On(const Idle&) {
    auto& list = idle_.expired() ? told_.at : told_.stale;
    list.push_back(context().Now() - told_.origin);
  }

 private:
  Told& told_;
  IdleTimeout idle_;
};

class IdleTimeoutTest : public ::testing::Test {
 protected:
  IdleTimeoutTest() { told_.origin = sim_.Now(); }
  absl::Duration Now() { return sim_.Now() - told_.origin; }

  Told told_;
  SimBus sim_;
  Ref<Session> session_ = sim_.Spawn<Session>({.mailbox_capacity = 4}, &told_);
};
using Times = std::vector<absl::Duration>;

TEST_F(IdleTimeoutTest, TheLimitCountsFromTheLastTouch) {
  session_.Tell(Limit{10 * kSecond});
  for (int i = 0; i < 7; ++i) {
    sim_.RunFor(9 * kSecond);
    session_.Tell(Request{});
  }
  sim_.RunFor(9 * kSecond);
  EXPECT_EQ(told_.at, Times());
  sim_.RunFor(kSecond);
  EXPECT_EQ(told_.at, Times{73 * kSecond});
}

TEST_F(IdleTimeoutTest, WhatDoesNotTouchDoesNotCount) {
  session_.Tell(Limit{10 * kSecond});
  for (int i = 0; i < 10; ++i) {
    sim_.RunFor(kSecond);
    session_.Tell(Health{});
  }
  sim_.RunUntilIdle();
  EXPECT_EQ(told_.at, Times{10 * kSecond});
}

TEST_F(IdleTimeoutTest, ItTellsOnceUntilTheNextTouch) {
  session_.Tell(Limit{kSecond});
  sim_.RunFor(100 * kSecond);
  EXPECT_EQ(told_.at, Times{kSecond});
  // An idle actor costs no timer.
  EXPECT_TRUE(sim_.bus().NextTimer().is_infinite());
  session_.Tell(Request{});
  sim_.RunFor(100 * kSecond);
  EXPECT_EQ(told_.at, (Times{kSecond, 101 * kSecond}));
}

TEST_F(IdleTimeoutTest, ATouchSetsNoTimer) {
  session_.Tell(Limit{10 * kSecond});
  sim_.RunUntilIdle();
  const Instant due = sim_.bus().NextTimer();
  for (int i = 0; i < 9; ++i) {
    sim_.RunFor(kSecond);
    session_.Tell(Request{});
    sim_.RunUntilIdle();
    EXPECT_EQ(sim_.bus().NextTimer(), due);
  }
}

// The loop is busy until the limit is over: the messages that waited meanwhile
// are handled before the Idle.
TEST_F(IdleTimeoutTest, AMessageThatWaitedBeforeTheIdleMakesItStale) {
  session_.Tell(Limit{kSecond});
  sim_.RunUntilIdle();
  session_.Tell(Hold{1500 * kMs});  // the mailbox waits, the loop goes on
  session_.Tell(Request{});
  sim_.RunFor(2 * kSecond);
  EXPECT_EQ(told_.at, Times());
  EXPECT_EQ(told_.stale, Times{1500 * kMs});
  sim_.RunFor(kSecond);
  EXPECT_EQ(told_.at, Times{2500 * kMs});
}

TEST_F(IdleTimeoutTest, AFullMailboxIsNotIdle) {
  session_.Tell(Limit{kSecond});
  sim_.RunUntilIdle();
  session_.Tell(Hold{2500 * kMs});
  while (session_.Tell(Health{}) == Delivery::kAccepted) {
  }
  sim_.RunFor(10 * kSecond);
  // Refused at 1 s and at 2 s; the mailbox was empty at 3 s.
  EXPECT_EQ(told_.at, Times{3 * kSecond});
}

TEST_F(IdleTimeoutTest, AFullMailboxAndNoLimitDoNotSpin) {
  session_.Tell(Hold{kSecond});
  sim_.RunUntilIdle();
  session_.Tell(Limit{absl::ZeroDuration()});
  sim_.RunFor(kSecond);
  session_.Tell(Hold{kSecond});
  sim_.RunUntilIdle();
  while (session_.Tell(Request{}) == Delivery::kAccepted) {
  }
  const uint64_t before = sim_.ledger().refused;
  sim_.RunFor(kSecond - kMs);
  EXPECT_LE(sim_.ledger().refused - before, 1000u);
}

TEST_F(IdleTimeoutTest, StopMakesAnIdleThatWaitsStale) {
  session_.Tell(Limit{kSecond});
  sim_.RunUntilIdle();
  session_.Tell(Hold{1500 * kMs});
  session_.Tell(Cease{});
  sim_.RunFor(10 * kSecond);
  EXPECT_EQ(told_.at, Times());
  EXPECT_EQ(told_.stale, Times{1500 * kMs});
  session_.Tell(Request{});
  sim_.RunFor(10 * kSecond);
  EXPECT_EQ(told_.at, Times());
}

TEST_F(IdleTimeoutTest, AnotherStartBeginsAnew) {
  session_.Tell(Limit{10 * kSecond});
  sim_.RunFor(9 * kSecond);
  session_.Tell(Limit{5 * kSecond});
  sim_.RunFor(20 * kSecond);
  EXPECT_EQ(told_.at, Times{14 * kSecond});
}

TEST_F(IdleTimeoutTest, ItEndsWithItsActor) {
  session_.Tell(Limit{kSecond});
  sim_.RunUntilIdle();
  session_.Stop();
  sim_.RunFor(10 * kSecond);
  EXPECT_TRUE(sim_.bus().NextTimer().is_infinite());
  EXPECT_EQ(told_.at, Times());
  EXPECT_TRUE(sim_.Finish().clean);
}

}  // namespace
}  // namespace trolley
