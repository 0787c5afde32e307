// SPDX-License-Identifier: Apache-2.0
//
// Every and TellAt in virtual time: when the ticks come, and how many.

#include "trolley/actors/behaviour/every.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/tell_at.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using trolley::testing::ForEachSeed;
using trolley::testing::SimBus;

constexpr absl::Duration kMs = absl::Milliseconds(1);
constexpr absl::Duration kSecond = absl::Seconds(1);

struct Beat {};
struct Other {};
struct Begin {
  EveryOptions options;
};
struct End {};
struct Work {};
struct Sleepy {
  absl::Duration length;
};

struct Seen {
  uint64_t number;
  uint64_t missed;
  absl::Duration at;  // since the start of the test

  friend bool operator==(const Seen&, const Seen&) = default;
};
std::ostream& operator<<(std::ostream& to, const Seen& seen) {
  return to << "#" << seen.number << " missed " << seen.missed << " at "
            << seen.at;
}

// What an actor has seen. The test owns it.
struct Diary {
  Instant origin;
  std::vector<Seen> ticks;
  std::vector<std::string> order;
  // What the handler of the next ticks does.
  std::function<void()> on_tick;
  absl::Duration tick_sleeps = absl::ZeroDuration();
};

class Heart : public Actor {
 public:
  explicit Heart(Diary* diary) : diary_(*diary) {}

  absl::Status On(const Begin& m) { return beat_.Start(this, m.options); }
  void On(const End&) { beat_.Stop(); }
  Task<> On(Tick<Beat> tick) {
    diary_.ticks.push_back(
        {tick.number, tick.missed, context().Now() - diary_.origin});
    diary_.order.push_back("tick");
    if (diary_.on_tick != nullptr) diary_.on_tick();
    if (diary_.tick_sleeps > absl::ZeroDuration()) {
      co_await Sleep(diary_.tick_sleeps);
    }
  }
  Task<> On(Sleepy m) { co_await Sleep(m.length); }
  void On(const Work&) { diary_.order.push_back("work"); }
  bool On(const bool&) { return beat_.running(); }

 private:
  Diary& diary_;
  Every<Beat> beat_;
};

class EveryTest : public ::testing::Test {
 protected:
  EveryTest() { diary_.origin = sim_.Now(); }

  absl::Status Start(const EveryOptions& options) {
    diary_.origin = sim_.Now();
    return sim_.Ask(heart_, Begin{options}, absl::Seconds(1));
  }
  // The handler moves the clock, as a handler that takes long does.
  void TakesLong(absl::Duration length) {
    sim_.world().clock().AdvanceTo(sim_.Now() + length);
  }

  SimBus sim_;
  Diary diary_;
  Ref<Heart> heart_ =
      sim_.Spawn<Heart>({.name = "heart", .mailbox_capacity = 4}, &diary_);
};

TEST_F(EveryTest, TicksComeAtWholePeriodsFromTheStart) {
  ASSERT_TRUE(Start({.period = kSecond}).ok());
  sim_.RunFor(3 * kSecond + kMs);
  EXPECT_EQ(diary_.ticks,
            (std::vector<Seen>{
                {1, 0, kSecond}, {2, 0, 2 * kSecond}, {3, 0, 3 * kSecond}}));
}

TEST_F(EveryTest, AtStartTheFirstTickIsAtOnce) {
  ASSERT_TRUE(Start({.period = kSecond, .at_start = true}).ok());
  sim_.RunFor(2 * kSecond);
  EXPECT_EQ(diary_.ticks, (std::vector<Seen>{{1, 0, absl::ZeroDuration()},
                                             {2, 0, kSecond},
                                             {3, 0, 2 * kSecond}}));
}

TEST_F(EveryTest, HandlersThatTakeLongDoNotMakeItDrift) {
  diary_.on_tick = [this] { TakesLong(300 * kMs); };
  ASSERT_TRUE(Start({.period = kSecond}).ok());
  sim_.RunFor(1000 * kSecond);
  ASSERT_EQ(diary_.ticks.size(), 1000u);
  for (size_t i = 0; i < diary_.ticks.size(); ++i) {
    EXPECT_EQ(diary_.ticks[i], (Seen{i + 1, 0, (i + 1) * kSecond}));
  }
}

TEST_F(EveryTest, PointsThatTheBusyLoopHasPassedAreOneTickAndCounted) {
  diary_.on_tick = [this] {
    if (diary_.ticks.size() == 1) TakesLong(3500 * kMs);
  };
  ASSERT_TRUE(Start({.period = kSecond}).ok());
  sim_.RunFor(6 * kSecond);
  EXPECT_EQ(diary_.ticks, (std::vector<Seen>{{1, 0, kSecond},
                                             {4, 2, 4500 * kMs},
                                             {5, 0, 5 * kSecond},
                                             {6, 0, 6 * kSecond}}));
}

TEST_F(EveryTest, NoTickComesWhileTheLastOneIsHandled) {
  diary_.tick_sleeps = 2500 * kMs;  // a coroutine: the loop goes on
  ASSERT_TRUE(Start({.period = kSecond}).ok());
  sim_.RunFor(8 * kSecond);
  EXPECT_EQ(diary_.ticks,
            (std::vector<Seen>{
                {1, 0, kSecond}, {4, 2, 4 * kSecond}, {7, 2, 7 * kSecond}}));
}

TEST_F(EveryTest, AtMostOneTickWaitsInTheMailbox) {
  ASSERT_TRUE(Start({.period = kSecond}).ok());
  const uint64_t before = sim_.ledger().accepted;
  ASSERT_EQ(heart_.Tell(Sleepy{10500 * kMs}), Delivery::kAccepted);
  sim_.RunFor(10 * kSecond);
  EXPECT_EQ(diary_.ticks.size(), 0u);
  EXPECT_EQ(sim_.ledger().accepted - before, 2u);  // the Sleepy and a tick
  sim_.RunFor(2 * kSecond);
  EXPECT_EQ(diary_.ticks, (std::vector<Seen>{{1, 0, 10500 * kMs},
                                             {11, 9, 11 * kSecond},
                                             {12, 0, 12 * kSecond}}));
}

TEST_F(EveryTest, AFullMailboxRefusesNoTickAndTheTickGoesFirst) {
  ASSERT_TRUE(Start({.period = kSecond}).ok());
  ASSERT_EQ(heart_.Tell(Sleepy{1500 * kMs}), Delivery::kAccepted);
  sim_.RunUntilIdle();
  int told = 0;
  while (heart_.Tell(Work{}) == Delivery::kAccepted) ++told;
  ASSERT_GT(told, 0);
  sim_.RunFor(1600 * kMs);
  ASSERT_EQ(diary_.order.size(), told + 1u);
  EXPECT_EQ(diary_.order[0], "tick");
}

TEST_F(EveryTest, StopEndsItAndStartBeginsAnew) {
  ASSERT_TRUE(Start({.period = kSecond}).ok());
  EXPECT_TRUE(*sim_.Ask(heart_, true, absl::Seconds(1)));
  sim_.RunFor(2500 * kMs);
  heart_.Tell(End{});
  sim_.RunFor(10 * kSecond);
  EXPECT_EQ(diary_.ticks.size(), 2u);
  EXPECT_FALSE(*sim_.Ask(heart_, true, absl::Seconds(1)));
  diary_.ticks.clear();
  ASSERT_TRUE(Start({.period = 2 * kSecond}).ok());
  sim_.RunFor(kSecond);
  ASSERT_TRUE(Start({.period = 2 * kSecond}).ok());
  sim_.RunFor(2 * kSecond);
  EXPECT_EQ(diary_.ticks, (std::vector<Seen>{{1, 0, 2 * kSecond}}));
}

TEST_F(EveryTest, OptionsOutOfTheirRangeAreRefusedAndWhatRanGoesOn) {
  ASSERT_TRUE(Start({.period = kSecond}).ok());
  const auto expect_refused = [&](const EveryOptions& options,
                                  const char* field) {
    const absl::Status started =
        sim_.Ask(heart_, Begin{options}, absl::Seconds(1));
    EXPECT_TRUE(absl::IsInvalidArgument(started)) << started;
    EXPECT_TRUE(absl::StrContains(started.message(), field)) << started;
  };
  expect_refused({.period = absl::ZeroDuration()}, "EveryOptions::period");
  expect_refused({.period = absl::Nanoseconds(999)}, "EveryOptions::period");
  expect_refused({.period = kSecond, .jitter = kSecond + kMs},
                 "EveryOptions::jitter");
  expect_refused({.period = kSecond, .jitter = -kMs}, "EveryOptions::jitter");
  sim_.RunFor(kSecond);
  EXPECT_EQ(diary_.ticks.size(), 1u);
}

TEST_F(EveryTest, APeriodOfAMicrosecondDoesNotPileUp) {
  // Without an end the loop would always have work.
  diary_.on_tick = [this] {
    TakesLong(10 * kMs);
    if (diary_.ticks.size() == 100) heart_.Tell(End{});
  };
  ASSERT_TRUE(Start({.period = EveryOptions::kShortestPeriod}).ok());
  sim_.RunFor(10 * kSecond);
  ASSERT_GE(diary_.ticks.size(), 100u);
  EXPECT_LE(diary_.ticks.size(), 101u);  // one may wait when it ends
  for (size_t i = 1; i < diary_.ticks.size(); ++i) {
    // Each has all points of the 10 ms before it.
    EXPECT_EQ(diary_.ticks[i].missed, 9999u);
  }
}

// Every point is in its own window, whatever the seed and however busy the
// loop; number and missed always add up.
TEST(EveryJitterTest, EachTickIsInItsWindowAndTheJitterDoesNotAddUp) {
  ForEachSeed(50, [](uint64_t seed) {
    SimBus sim({.seed = seed});
    Diary diary;
    diary.origin = sim.Now();
    const auto heart = sim.Spawn<Heart>({}, &diary);
    const absl::Duration jitter = kSecond * (seed % 5) / 4;  // 0 to the period
    ASSERT_TRUE(sim.Ask(heart,
                        Begin{{.period = kSecond,
                               .jitter = jitter,
                               .at_start = seed % 2 == 0}},
                        absl::Seconds(1))
                    .ok());
    diary.on_tick = [&] {
      if (sim.world().random().Below(4) != 0) return;
      const auto busy = absl::Milliseconds(sim.world().random().Below(4000));
      sim.world().clock().AdvanceTo(sim.Now() + busy);
    };
    sim.RunFor(200 * kSecond);
    ASSERT_GT(diary.ticks.size(), 50u);
    uint64_t before = 0;
    absl::Duration largest, least = kSecond;
    for (const Seen& tick : diary.ticks) {
      EXPECT_EQ(tick.number, before + tick.missed + 1);
      before = tick.number;
      const absl::Duration base =
          (tick.number - (seed % 2 == 0 ? 1 : 0)) * kSecond;
      EXPECT_GE(tick.at, base);
      // Later only if the loop was busy; then the next point had not come.
      EXPECT_LE(tick.at, base + kSecond + jitter);
      if (tick.missed == 0) {
        largest = std::max(largest, tick.at - base);
        least = std::min(least, tick.at - base);
      }
    }
    if (jitter > absl::ZeroDuration()) {
      EXPECT_GT(largest - least, jitter / 4);
    }
  });
}

std::vector<Seen> JitteredTicks(uint64_t run, uint64_t seed) {
  SimBus sim({.seed = run});
  Diary diary;
  diary.origin = sim.Now();
  const auto heart = sim.Spawn<Heart>({}, &diary);
  const auto started = sim.Ask(
      heart, Begin{{.period = kSecond, .jitter = kSecond, .seed = seed}},
      absl::Seconds(1));
  EXPECT_TRUE(started.ok());
  sim.RunFor(20 * kSecond);
  return diary.ticks;
}

TEST(EveryJitterTest, TheSeedDecidesTheJitter) {
  EXPECT_EQ(JitteredTicks(1, 7), JitteredTicks(2, 7));
  EXPECT_NE(JitteredTicks(1, 7), JitteredTicks(1, 8));
  // Without a seed: as the run.
  EXPECT_EQ(JitteredTicks(1, 0), JitteredTicks(1, 0));
  EXPECT_NE(JitteredTicks(1, 0), JitteredTicks(2, 0));
}

// Two actors of a run without a seed do not tick together.
TEST(EveryJitterTest, ActorsOfOneRunHaveDifferentJitter) {
  SimBus sim;
  Diary one, two;
  one.origin = two.origin = sim.Now();
  const Begin begin{{.period = kSecond, .jitter = kSecond}};
  for (Diary* diary : {&one, &two}) {
    sim.Spawn<Heart>({}, diary).Tell(begin);
  }
  sim.RunFor(5 * kSecond);
  EXPECT_NE(one.ticks, two.ticks);
}

// The end of the actor, of the bus, and of the actor with a tick in its
// mailbox.
TEST(EveryEndTest, ItEndsWithItsActor) {
  for (const bool waits : {false, true}) {
    SimBus sim;
    Diary diary;
    const auto heart = sim.Spawn<Heart>({}, &diary);
    heart.Tell(Begin{{.period = kSecond}});
    if (waits) heart.Tell(Sleepy{absl::InfiniteDuration()});
    sim.RunFor(1500 * kMs);
    heart.Stop();
    sim.RunFor(10 * kSecond);
    EXPECT_EQ(diary.ticks.size(), waits ? 0u : 1u);
    EXPECT_EQ(sim.bus().CountActors(), 0u);
    EXPECT_TRUE(sim.bus().NextTimer().is_infinite());
    EXPECT_EQ(sim.Finish().ledger.dead_lettered, waits ? 2u : 0u);
  }
}

TEST(EveryEndTest, ItEndsWithTheBus) {
  SimBus sim;
  Diary diary;
  sim.Spawn<Heart>({}, &diary).Tell(Begin{{.period = kSecond}});
  sim.RunFor(1500 * kMs);
  EXPECT_TRUE(sim.Finish().clean);
}

// Two rhythms in one actor do not touch one another.
class TwoHearts : public Actor {
 public:
  explicit TwoHearts(std::vector<std::string>* seen) : seen_(*seen) {}
  void OnStart() override {
    EXPECT_TRUE(beat_.Start(this, {.period = 2 * kSecond}).ok());
    EXPECT_TRUE(other_.Start(this, {.period = 3 * kSecond}).ok());
  }
  void On(const Tick<Beat>&) { seen_.push_back("beat"); }
  void On(const Tick<Other>&) {
    seen_.push_back("other");
    beat_.Stop();
  }

 private:
  std::vector<std::string>& seen_;
  Every<Beat> beat_;
  Every<Other> other_;
};

TEST(EveryNamesTest, AnActorMayHaveSeveral) {
  std::vector<std::string> seen;
  SimBus sim;
  sim.Spawn<TwoHearts>({}, &seen);
  sim.RunFor(7 * kSecond);
  EXPECT_EQ(seen, (std::vector<std::string>{"beat", "other", "other"}));
}

// --- TellAt ------------------------------------------------------------------

struct At {
  Instant at;
};
struct Due {};

class Alarm : public Actor {
 public:
  explicit Alarm(std::vector<Instant>* rang) : rang_(*rang) {}
  void On(const At& m) { timer_ = TellAt(this, m.at, Due{}); }
  void On(const Due&) { rang_.push_back(context().Now()); }
  bool On(const End&) { return CancelTimer(timer_); }

 private:
  std::vector<Instant>& rang_;
  TimerId timer_;
};

TEST(TellAtTest, ItComesAtThatTimeAndMayBeCancelled) {
  std::vector<Instant> rang;
  SimBus sim;
  const auto alarm = sim.Spawn<Alarm>({}, &rang);
  const Instant at = sim.Now() + kSecond;
  alarm.Tell(At{at});
  sim.RunFor(10 * kSecond);
  EXPECT_EQ(rang, std::vector<Instant>{at});
  EXPECT_FALSE(*sim.Ask(alarm, End{}, absl::Seconds(1)));

  alarm.Tell(At{at});  // in the past
  sim.RunUntilIdle();
  EXPECT_EQ(rang.size(), 2u);

  alarm.Tell(At{sim.Now() + kSecond});
  EXPECT_TRUE(*sim.Ask(alarm, End{}, absl::Seconds(1)));
  sim.RunFor(10 * kSecond);
  EXPECT_EQ(rang.size(), 2u);
}

}  // namespace
}  // namespace trolley
