// SPDX-License-Identifier: Apache-2.0
//
// Workers that fail, stop, or cannot start: they are replaced, with a pause and
// up to a limit, and the others are not touched.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/pools/pool.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/actors/watch.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/pools/pool_rig.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using testing::ForEachSeed;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::SimBus;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kHour = absl::Hours(1);
constexpr absl::Duration kSecond = absl::Seconds(1);

template <typename Test>
void ForEachBus(Test test) {
  ForEachSeed(30, [&](uint64_t seed) {
    Diary diary;
    SimBus sim(Quiet(seed));
    test(sim, diary);
  });
}

TEST(PoolFailureTest,
     P22_AWorkerThatThrowsIsReplacedAndTheOthersAreNotTouched) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<RoundRobin>(sim, diary, {.workers = 3});
    const PoolInfo before = desk.Info();
    // The first worker has a message behind the one at which it throws.
    desk.clerk.Tell(Boom{1});
    desk.clerk.Tell(Note{2});
    desk.clerk.Tell(Note{3});
    desk.clerk.Tell(Note{4});
    sim.RunUntilIdle();
    EXPECT_THAT(diary.objects, ElementsAre(Pair("desk/0", 2), Pair("desk/1", 1),
                                           Pair("desk/2", 1)));
    EXPECT_THAT(diary.handled, UnorderedElementsAre(2, 3, 4));
    EXPECT_THAT(diary.begun, ::testing::Contains(Pair("desk/0", 4)));
    const PoolInfo after = desk.Info();
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(after.workers[i].address, before.workers[i].address);
      EXPECT_TRUE(after.workers[i].running);
      EXPECT_EQ(after.workers[i].restarts, i == 0 ? 1u : 0u);
    }
    const Ledger ledger = sim.ledger();
    EXPECT_EQ(ledger.failed, 1u) << ledger.ToString();
    EXPECT_EQ(ledger.dead_lettered, 0u) << ledger.ToString();
  });
}

template <typename Policy>
void ExpectTheAskInHandToFail(const char* name) {
  SCOPED_TRACE(name);
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<Policy>(sim, diary, {.workers = 1});
    const auto queued = [&](uint64_t id) {
      return desk.Begin(id, absl::ZeroDuration(), kHour);
    };
    absl::Status failed = absl::UnknownError("none");
    desk.clerk.AskThen(Boom{1}, kHour,
                       [&](absl::Status status) { failed = status; });
    const auto second = queued(2), third = queued(3);
    sim.RunUntilIdle();
    EXPECT_EQ(failed.code(), absl::StatusCode::kInternal) << failed;
    EXPECT_THAT(std::string(failed.message()), HasSubstr("boom"));
    EXPECT_EQ(second->value_or("failed"), "desk/0");
    EXPECT_EQ(third->value_or("failed"), "desk/0");
    EXPECT_EQ(desk.Info().workers[0].load, 0u);
    EXPECT_EQ(desk.Info().asks, 0u);
  });
}

TEST(PoolFailureTest, P22_TheAskInHandFailsAndThoseBehindItAreAnswered) {
  ExpectTheAskInHandToFail<RoundRobin>("RoundRobin");
  ExpectTheAskInHandToFail<LeastLoaded>("LeastLoaded");
  ExpectTheAskInHandToFail<ByKey>("ConsistentHash");
  ExpectTheAskInHandToFail<WorkPulling>("WorkPulling");
}

TEST(PoolFailureTest, P22_OneWorkerOfABroadcastThrowsAndTheOthersAnswer) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    const auto pool = SpawnDesk<Broadcast>(sim, diary, {.workers = 2});
    sim.RunUntilIdle();
    const PoolInfo info = *sim.Ask(pool, GetPoolInfo{}, kSecond);
    Ref<Clerk>(info.workers[0].address).Tell(Note{1, kSecond});
    Ref<Clerk>(info.workers[0].address).Tell(Boom{2});
    const auto names = sim.Ask(pool, Question{3}, kHour);
    ASSERT_TRUE(names.ok()) << names.status();
    EXPECT_EQ(*(*names)[0], "desk/0");
    EXPECT_EQ(*(*names)[1], "desk/1");
    const absl::StatusOr<std::vector<absl::Status>> boom =
        sim.Ask(pool, Boom{4}, kHour);
    ASSERT_TRUE(boom.ok()) << boom.status();
    for (const absl::Status& status : *boom) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
    }
  });
}

TEST(PoolFailureTest, P22_AWorkerThatWasStoppedIsReplaced) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<RoundRobin>(sim, diary, {.workers = 2});
    desk.Info().workers[1].address.Stop();
    sim.RunUntilIdle();
    EXPECT_THAT(diary.objects,
                ElementsAre(Pair("desk/0", 1), Pair("desk/1", 2)));
    EXPECT_TRUE(desk.Ask(1).ok());
    EXPECT_TRUE(desk.Ask(2).ok());
  });
}

// --- Pauses and limits -------------------------------------------------------

// Throws when it starts, as often as the test says, and notes when.
struct Starts {
  int to_fail = 0;
  bool in_constructor = false;
  std::vector<Instant> at;
};
class Starter : public Actor {
 public:
  Starter(Starts* starts, Instant now) : starts_(*starts) {
    if (starts_.in_constructor) Start(now);
  }
  std::string On(const Question&) { return "here"; }

 protected:
  void OnStart() override {
    if (!starts_.in_constructor) Start(context().Now());
  }

 private:
  void Start(Instant now) {
    starts_.at.push_back(now);
    if (starts_.to_fail-- > 0) throw std::runtime_error("no start");
  }

  Starts& starts_;
};

Ref<Pool<Starter>> SpawnStarters(SimBus& sim, Starts& starts,
                                 const PoolOptions& options) {
  Starts* const to = &starts;
  SimBus* const of = &sim;
  return sim.Spawn<Pool<Starter>>({.name = "starters"}, options, [to, of] {
    return std::make_unique<Starter>(to, of->Now());
  });
}

TEST(PoolFailureTest, P22_ThePausesGetLongerUpToTheLongest) {
  for (const bool in_constructor : {false, true}) {
    Starts starts{.to_fail = 7, .in_constructor = in_constructor};
    SimBus sim(Quiet(/*loops=*/2, /*seed=*/1));
    const auto pool = SpawnStarters(
        sim, starts,
        {.workers = 1, .longest_backoff = absl::Milliseconds(100)});
    const auto reply = std::make_shared<absl::StatusOr<std::string>>();
    pool.AskThen(Question{}, kHour, [reply](auto got) { *reply = got; });
    sim.RunFor(kHour);
    std::vector<int64_t> pauses;
    for (size_t i = 1; i < starts.at.size(); ++i) {
      pauses.push_back(
          absl::ToInt64Milliseconds(starts.at[i] - starts.at[i - 1]));
    }
    EXPECT_THAT(pauses, ElementsAre(0, 10, 20, 40, 80, 100, 100));
    // The message has waited for the object that could start.
    EXPECT_EQ(reply->value_or("none"), "here");
  }
}

TEST(PoolFailureTest, P22_AWorkerThatNeverStartsEndsThePoolWithItsReason) {
  for (const bool in_constructor : {false, true}) {
    Starts starts{.to_fail = 1000, .in_constructor = in_constructor};
    SimBus sim(Quiet(/*loops=*/2, /*seed=*/1));
    const auto pool =
        SpawnStarters(sim, starts, {.workers = 1, .max_restarts = 3});
    ActorEnd end;
    pool.address().WhenEnded([&](const ActorEnd& told) { end = told; });
    sim.RunFor(kHour);
    EXPECT_EQ(starts.at.size(), 4u);
    EXPECT_EQ(end.reason.kind, ExitReason::Kind::kFailed);
    const absl::Status refused = sim.Ask(pool, Question{}, kSecond).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
    for (const char* part :
         {"starters/0 was restarted 3 times", "max_restarts", "no start"}) {
      EXPECT_THAT(std::string(refused.message()), HasSubstr(part));
    }
    EXPECT_FALSE(sim.bus().FindAddress("starters/0").ok());
  }
}

TEST(PoolFailureTest, P22_TheLimitIsThatOfOneWorkerAndOfTheWindow) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk =
        OpenDesk<RoundRobin>(sim, diary, {.workers = 3, .max_restarts = 2});
    const Instant before = sim.Now();
    // Each worker twice: six restarts of the pool.
    for (uint64_t id = 0; id < 6; ++id) desk.clerk.Tell(Boom{id});
    sim.RunFor(kSecond);
    EXPECT_EQ(diary.live, 3);
    sim.RunFor(absl::Minutes(1) - kSecond);
    EXPECT_EQ(sim.Now() - before, absl::Minutes(1));
    // Those do not count any more.
    for (uint64_t id = 0; id < 6; ++id) desk.clerk.Tell(Boom{id});
    sim.RunFor(kSecond);
    EXPECT_EQ(diary.live, 3);
    // These are too many, for one of them.
    desk.clerk.Tell(Boom{7});
    sim.RunFor(kSecond);
    EXPECT_EQ(diary.live, 0);
    EXPECT_EQ(desk.clerk.Tell(Note{8}), Delivery::kGone);
  });
}

TEST(PoolFailureTest, P22_WithMaxRestartsOfZeroTheFirstFailureEndsThePool) {
  Diary diary;
  SimBus sim(Quiet(/*loops=*/1, /*seed=*/1));
  Desk desk =
      OpenDesk<RoundRobin>(sim, diary, {.workers = 2, .max_restarts = 0});
  desk.clerk.Tell(Boom{1});
  sim.RunUntilIdle();
  EXPECT_EQ(desk.clerk.Tell(Note{2}), Delivery::kGone);
  EXPECT_EQ(diary.live, 0);
}

// Restarts a pool that ends, as a supervisor does.
class Keeper : public Actor {
 public:
  explicit Keeper(Diary* diary) : diary_(diary) {}
  void On(const SeatTaken&) {}
  void On(const SeatEmpty& m) {
    EXPECT_EQ(m.reason.kind, ExitReason::Kind::kFailed);
    seat_.Fill();
  }

 protected:
  void OnStart() override {
    seat_ = *Seat::Reserve<Pool<Clerk>>(
        Self(this), {.name = "desk", .loop = 0}, [diary = diary_] {
          return std::make_unique<Pool<Clerk>>(
              PoolOptions{.workers = 6, .max_restarts = 0},
              [diary] { return std::make_unique<Clerk>(diary); });
        });
    seat_.Fill();
  }

 private:
  Diary* const diary_;
  Seat seat_;
};

TEST(PoolFailureTest, P22_APoolThatIsRestartedHasNewWorkersAndTheSameAddress) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    sim.Spawn<Keeper>({}, &diary);
    sim.RunUntilIdle();
    const absl::StatusOr<Ref<Pool<Clerk>>> pool =
        sim.bus().Find<Pool<Clerk>>("desk");
    ASSERT_TRUE(pool.ok()) << pool.status();
    Desk desk{sim, *pool};
    EXPECT_TRUE(desk.Ask(1).ok());
    for (uint64_t id = 2; id <= 6; ++id) {
      desk.clerk.Tell(Boom{id});
      sim.RunUntilIdle();
      EXPECT_EQ(diary.live, 6);
      EXPECT_TRUE(desk.Ask(10 * id).ok());
    }
  });
}

// --- While a worker rests ----------------------------------------------------

// The first worker of the desk waits for its second restart.
template <typename Policy>
Desk OpenWithOneThatRests(SimBus& sim, Diary& diary, uint32_t workers) {
  Desk desk = OpenDesk<Policy>(
      sim, diary, {.workers = workers, .restart_backoff = kSecond});
  const Ref<Clerk> first(desk.Info().workers[0].address);
  first.Tell(Boom{100});
  first.Tell(Boom{101});
  sim.RunUntilIdle();
  EXPECT_FALSE(desk.Info().workers[0].running);
  EXPECT_EQ(diary.live, static_cast<int>(workers) - 1);
  diary.begun.clear();
  return desk;
}

template <typename Policy>
void ExpectOthersToWork(const char* name) {
  SCOPED_TRACE(name);
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenWithOneThatRests<Policy>(sim, diary, 3);
    const Instant before = sim.Now();
    for (uint64_t id = 0; id < 10; ++id) {
      desk.clerk.Tell(Note{id});
      EXPECT_THAT(*desk.Ask(100 + id), ::testing::AnyOf("desk/1", "desk/2"));
    }
    EXPECT_EQ(sim.Now(), before);
    EXPECT_EQ(diary.handled.size(), 20u);
    EXPECT_EQ(diary.objects["desk/0"], 2);
  });
}
TEST(PoolFailureTest, P22_MessagesGoToTheOthersWhileAWorkerRests) {
  ExpectOthersToWork<RoundRobin>("RoundRobin");
  ExpectOthersToWork<LeastLoaded>("LeastLoaded");
  ExpectOthersToWork<WorkPulling>("WorkPulling");
}

template <typename Policy>
void ExpectThemToWait(const char* name) {
  SCOPED_TRACE(name);
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenWithOneThatRests<Policy>(sim, diary, 1);
    const Instant before = sim.Now();
    desk.clerk.Tell(Note{1});
    EXPECT_EQ(*desk.Ask(2), "desk/0");
    EXPECT_EQ(sim.Now() - before, kSecond);
    EXPECT_THAT(diary.handled, ElementsAre(1, 2));
    EXPECT_EQ(sim.ledger().dead_lettered, 0u);
  });
}
TEST(PoolFailureTest, P22_MessagesWaitForTheOnlyWorker) {
  ExpectThemToWait<RoundRobin>("RoundRobin");
  ExpectThemToWait<LeastLoaded>("LeastLoaded");
  ExpectThemToWait<ByKey>("ConsistentHash");
  ExpectThemToWait<WorkPulling>("WorkPulling");
}

TEST(PoolFailureTest, P22_AKeyWaitsForItsWorkerThoughOthersAreFree) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenWithOneThatRests<ByKey>(sim, diary, 3);
    const Instant before = sim.Now();
    std::vector<std::string> workers;
    for (uint64_t id = 0; id < 20; ++id) workers.push_back(*desk.Ask(id));
    EXPECT_EQ(sim.Now() - before, kSecond);
    EXPECT_THAT(workers, ::testing::Contains("desk/0"));
  });
}

// --- Failures of workers that drain ------------------------------------------

TEST(PoolFailureTest, P22_AWorkerThatThrowsWhileItDrainsLosesNoOtherMessage) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<RoundRobin>(sim, diary, {.workers = 2});
    for (uint64_t id = 0; id < 20; ++id) {
      if (id == 5 || id == 8) {
        desk.clerk.Tell(Boom{id});
      } else {
        desk.clerk.Tell(Note{id, absl::Milliseconds(1)});
      }
    }
    EXPECT_TRUE(desk.Resize(0).ok());
    EXPECT_EQ(diary.handled.size(), 18u);
    EXPECT_EQ(diary.live, 0);
    EXPECT_EQ(sim.ledger().failed, 2u);
    EXPECT_EQ(sim.ledger().dead_lettered, 0u);
  });
}

TEST(PoolFailureTest, P22_AWorkerThatRestsIsDrainedAtOnce) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenWithOneThatRests<ByKey>(sim, diary, 1);
    desk.clerk.Tell(Note{1});
    const Instant before = sim.Now();
    EXPECT_TRUE(desk.Resize(0).ok());
    EXPECT_EQ(sim.Now(), before);
    EXPECT_THAT(diary.handled, ElementsAre(1));
    EXPECT_EQ(diary.live, 0);
  });
}

TEST(PoolFailureTest, P22_AWorkerThatCannotDrainIsGivenUpAndThePoolGoesOn) {
  Diary diary;
  SimBus sim(Quiet(/*loops=*/2, /*seed=*/1));
  Desk desk =
      OpenDesk<RoundRobin>(sim, diary, {.workers = 2, .max_restarts = 2});
  for (uint64_t id = 0; id < 20; ++id) {
    if (id % 2 == 0) {
      desk.clerk.Tell(Note{id});
    } else {
      desk.clerk.Tell(Boom{id});
    }
  }
  EXPECT_TRUE(desk.Resize(1).ok());
  // Three objects of desk/1, and a Boom for each.
  EXPECT_EQ(diary.handled.size(), 10u);
  EXPECT_EQ(sim.ledger().failed, 3u);
  EXPECT_EQ(sim.ledger().dead_lettered, 7u);
  EXPECT_EQ(desk.Info().workers.size(), 1u);
  EXPECT_TRUE(desk.Ask(30).ok());
}

// --- The end of a loop -------------------------------------------------------

TEST(PoolFailureTest, P22_AWorkerWhoseLoopHasEndedMovesToTheLoopOfThePool) {
  Diary diary;
  SimBus sim(Quiet(/*loops=*/3, /*seed=*/1));
  Desk desk = OpenDesk<RoundRobin>(sim, diary, {.workers = 6});
  LoopOf(sim.bus(), 1).End();
  sim.RunUntilIdle();
  const PoolInfo info = desk.Info();
  ASSERT_EQ(info.workers.size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(info.workers[i].loop, i % 3 == 1 ? 0 : static_cast<int>(i % 3));
    EXPECT_TRUE(info.workers[i].running);
  }
  for (uint64_t id = 0; id < 12; ++id) EXPECT_TRUE(desk.Ask(id).ok());
  EXPECT_EQ(desk.Info().refused_cause, 0u);
}

}  // namespace
}  // namespace trolley
