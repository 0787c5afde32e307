// SPDX-License-Identifier: Apache-2.0
//
// Looking at a bus with many actors, and ending them, is done in steps. The
// test counts the cells and calls of one turn, not time.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley::internal {
namespace {

constexpr uint32_t kMany = 100'000;

struct Ping {};

class Quiet : public Actor {
 public:
  void On(const Ping&) {}
};

// Calls of one kind, by the turn of the loop in which they came.
class CallsPerTurn {
 public:
  void Add(Loop& loop) { most_ = std::max(most_, ++calls_[TurnOf(loop)]); }
  uint32_t most() const { return most_; }
  size_t turns() const { return calls_.size(); }

 private:
  static uint64_t TurnOf(Loop& loop) { return loop.inbox().stats.turns.Read(); }

  std::map<uint64_t, uint32_t> calls_;
  uint32_t most_ = 0;
};

// Says when it drains and stops.
class Counted : public Actor {
 public:
  Counted(CallsPerTurn* drains, CallsPerTurn* stops)
      : drains_(*drains), stops_(*stops) {}
  void OnDrain() override { drains_.Add(LoopOf(context())); }
  void OnStop() override { stops_.Add(LoopOf(context())); }

 private:
  CallsPerTurn& drains_;
  CallsPerTurn& stops_;
};

class Pinged : public Actor {
 public:
  explicit Pinged(int* pings) : pings_(*pings) {}
  void On(const Ping&) { ++pings_; }

 private:
  int& pings_;
};

class LookingTest : public BusFixture {
 protected:
  ~LookingTest() override { Destroy(); }  // before what the actors count in

  uint64_t LookedAt() {
    return LoopOf(bus(), 0).inbox().stats.cells_looked_at.Read();
  }

  // Begins to look, and sends a message behind it: that is handled in the next
  // turn, and every turn until `over` looks at a step's worth of cells.
  void ExpectSteps(uint32_t cells, const std::function<void()>& look,
                   const bool& over) {
    const uint32_t step = LoopOptions().messages_per_turn;
    const uint64_t before = LookedAt();
    const int pings = pings_;
    look();
    ASSERT_EQ(pinged_.Tell(Ping{}), Delivery::kAccepted);
    for (uint64_t turns = 0; !over; ++turns) {
      ASSERT_LE(turns, cells / step + 2);
      const uint64_t then = LookedAt();
      LoopOf(bus(), 0).RunOnce();
      ASSERT_LE(LookedAt() - then, step);
      ASSERT_EQ(pings_, pings + 1);
    }
    EXPECT_LE(LookedAt() - before, cells);
  }

  void SpawnMany(std::vector<Ref<Quiet>>* actors = nullptr) {
    Start();
    pinged_ = *bus().Spawn<Pinged>({}, &pings_);
    for (uint32_t i = 1; i < kMany; ++i) {
      auto quiet = bus().Spawn<Quiet>({});
      ASSERT_TRUE(quiet.ok()) << quiet.status();
      if (actors != nullptr) actors->push_back(*std::move(quiet));
    }
    bus().RunUntilIdle();
  }

  int pings_ = 0;
  Ref<Pinged> pinged_;
};
INSTANTIATE_TEST_SUITE_P(Forms, LookingTest, testing::Values(BusForm{"sim", 1}),
                         BusFormName);

TEST_P(LookingTest, P7_LookingAtManyActorsTakesAStepATurn) {
  SpawnMany();
  bool over = false;
  // All of them.
  ExpectSteps(
      kMany,
      [&] {
        bus().Inspect([&](BusInfo info) {
          EXPECT_EQ(info.actors.size(), kMany);
          over = true;
        });
      },
      over);
  // None of them.
  over = false;
  ExpectSteps(
      0,
      [&] {
        bus().InspectLoops([&](BusInfo info) {
          EXPECT_EQ(info.actors.size(), 0u);
          EXPECT_EQ(info.loops[0].actors, kMany);
          over = true;
        });
      },
      over);
  // A page, of whatever size.
  for (uint32_t size : {1u, 1000u}) {
    over = false;
    ExpectSteps(
        size,
        [&] {
          bus().ListActors({}, size, [&](ActorPage page) {
            EXPECT_EQ(page.actors.size(), size);
            EXPECT_TRUE(page.next.has_value());
            over = true;
          });
        },
        over);
  }
}

// As many as like to look share the one step.
TEST_P(LookingTest, P7_ManyLooksAtOnceTakeAStepATurn) {
  SpawnMany();
  bool over = false;
  int missing = 50;
  ExpectSteps(
      2 * kMany + 50 * 200,
      [&] {
        for (int i = 0; i < 50; ++i) {
          bus().ListActors({.loop = 0, .slot = 1000u * i}, 200,
                           [&](ActorPage page) {
                             EXPECT_EQ(page.actors.size(), 200u);
                             over = --missing == 0;
                           });
          if (i % 25 == 0) bus().Inspect([](BusInfo) {});
        }
      },
      over);
}

// Looking for the next actor behind many free slots also counts as work.
TEST_P(LookingTest, P7_CellsThatAreFreeCountToo) {
  std::vector<Ref<Quiet>> actors;
  SpawnMany(&actors);
  const ActorId last = actors.back().id();
  actors.pop_back();
  for (const Ref<Quiet>& actor : actors) actor.Stop();
  bus().RunUntilIdle();
  bool over = false;
  ExpectSteps(
      kMany + 1024,
      [&] {
        bus().ListActors({.loop = 0, .slot = pinged_.id().slot() + 1}, 1,
                         [&](ActorPage page) {
                           ASSERT_EQ(page.actors.size(), 1u);
                           EXPECT_EQ(page.actors[0].id, last);
                           over = true;
                         });
      },
      over);
}

TEST_P(LookingTest, P10_ManyActorsDrainAndEndAStepATurn) {
  CallsPerTurn drains, stops;
  const uint32_t step = LoopOptions().messages_per_turn;
  Start();
  for (uint32_t i = 0; i < kMany; ++i) {
    ASSERT_TRUE(bus().Spawn<Counted>({}, &drains, &stops).ok());
  }
  bus().RunUntilIdle();
  const ShutdownReport report = bus().Shutdown(absl::Seconds(60));
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_LE(drains.most(), step);
  EXPECT_GE(drains.turns(), kMany / step);
  EXPECT_LE(stops.most(), step);
  EXPECT_GE(stops.turns(), kMany / step);
}

// Ends at once; what comes for it meanwhile is let go of soon.
class Last : public Actor {
 public:
  struct Count {
    uint32_t ended = 0;
    std::vector<uint32_t> heard_after;
  };
  explicit Last(Count* count) : count_(*count) {}
  void OnStop() override {
    if (++count_.ended % 1000 != 0) return;
    absl::Cleanup heard = [this_one = count_.ended, count = &count_] {
      count->heard_after.push_back(count->ended - this_one);
    };
    Loop::Post(LoopOf(context()).inbox(), [heard = std::move(heard)](Loop&) {});
  }

 private:
  Count& count_;
};

TEST_P(LookingTest, P10_OthersHearSoonThatALoopEnds) {
  Last::Count count;
  Start();
  for (uint32_t i = 0; i < 20'500; ++i) {
    ASSERT_TRUE(bus().Spawn<Last>({}, &count).ok());
  }
  bus().RunUntilIdle();
  bus().Shutdown(absl::ZeroDuration());
  EXPECT_EQ(count.ended, 20'500u);
  ASSERT_EQ(count.heard_after.size(), 20u);
  for (uint32_t others : count.heard_after) {
    EXPECT_LE(others, LoopOptions().messages_per_turn);
  }
}

// Those that have something to do are in the run queue, and end there.
TEST_P(LookingTest, P10_ActorsThatHaveMessagesEndAndFreeTheirCells) {
  constexpr uint32_t kActors = 1000;
  Start([](BusOptions& options) { options.loops[0].max_actors = kActors; });
  for (int round = 0; round < 3; ++round) {
    EndingActors endings;
    std::vector<Ref<Quiet>> actors;
    for (uint32_t i = 0; i < kActors; ++i) {
      auto quiet = bus().Spawn<Quiet>({});
      ASSERT_TRUE(quiet.ok()) << quiet.status();
      endings.ids.push_back(quiet->id());
      actors.push_back(*std::move(quiet));
    }
    bus().RunUntilIdle();
    const Ledger before = bus().ReadLedger();
    for (const Ref<Quiet>& actor : actors) actor.Tell(Ping{});
    Loop::PostWork(StateOf(bus())->inbox(0), [=](Loop& loop) mutable {
      return loop.runner().EndSome(endings);
    });
    bus().RunUntilIdle();
    const Ledger after = bus().ReadLedger();
    EXPECT_TRUE(after.Balances()) << after.ToString();
    EXPECT_GE(after.dead_lettered - before.dead_lettered,
              LoopOptions().messages_per_turn);
    EXPECT_EQ(Look().loops[0].actors, 0u);
    for (const Ref<Quiet>& actor : actors) {
      ASSERT_EQ(actor.Tell(Ping{}), Delivery::kGone);
    }
  }
}

using PagesTest = BusFixture;
TROLLEY_FOR_EACH_BUS(PagesTest);

// Each actor that lives all the while is on one page, whatever comes and goes.
TEST_P(PagesTest, PagesHaveEachActorOnce) {
  Bus& bus = Start();
  for (uint32_t size : {1u, 2u, 7u, 1000u}) {
    std::set<uint64_t> expected;
    std::vector<Ref<Quiet>> stay, go;
    for (int i = 0; i < 30; ++i) {
      stay.push_back(*bus.Spawn<Quiet>({.loop = LoopAt(i % 3)}));
      go.push_back(*bus.Spawn<Quiet>({.loop = LoopAt(i % 3)}));
      expected.insert(stay.back().id().word());
    }
    Look();
    std::multiset<uint64_t> seen;
    std::optional<ActorPosition> at = ActorPosition();
    while (at.has_value()) {
      struct Answer {
        ActorPage page;
        absl::Notification ready;
      };
      auto answer = std::make_shared<Answer>();
      bus.ListActors(*at, size, [answer](ActorPage page) {
        answer->page = std::move(page);
        answer->ready.Notify();
      });
      Await(answer->ready);
      ASSERT_LE(answer->page.actors.size(), size);
      for (const ActorInfo& actor : answer->page.actors) {
        seen.insert(actor.id.word());
      }
      at = answer->page.next;
      if (!go.empty()) {
        go.back().Stop();
        go.pop_back();
        go.insert(go.begin(),
                  *bus.Spawn<Quiet>({.loop = LoopAt(seen.size() % 3)}));
        if (seen.size() > 60) go.clear();
      }
    }
    for (uint64_t id : expected) EXPECT_EQ(seen.count(id), 1u);
    for (uint64_t id : seen) EXPECT_EQ(seen.count(id), 1u);
    for (const Ref<Quiet>& actor : stay) actor.Stop();
    Look();
  }
}

TEST_P(PagesTest, APlaceBehindAllOthersHasNothing) {
  Bus& bus = Start();
  bus.Spawn<Quiet>({}).IgnoreError();
  for (ActorPosition place :
       {ActorPosition{.loop = 0, .slot = ActorId::kMaxSlots},
        ActorPosition{.loop = 255, .slot = 0},
        ActorPosition{.loop = ~0u, .slot = ~0u}}) {
    place.loop = std::max<uint32_t>(place.loop, loops() - 1);
    struct Answer {
      ActorPage page;
      absl::Notification ready;
    };
    auto answer = std::make_shared<Answer>();
    bus.ListActors(place, 10, [answer](ActorPage page) {
      answer->page = std::move(page);
      answer->ready.Notify();
    });
    Await(answer->ready);
    EXPECT_TRUE(answer->page.actors.empty());
    EXPECT_FALSE(answer->page.next.has_value());
  }
  // A bus that has ended tells so by an empty page.
  bus.Shutdown(absl::Seconds(60));
  bool asked = false;
  bus.ListActors({}, 10, [&](ActorPage page) {
    asked = page.actors.empty() && !page.next.has_value();
  });
  EXPECT_TRUE(asked);
}

}  // namespace
}  // namespace trolley::internal
