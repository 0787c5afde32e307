// SPDX-License-Identifier: Apache-2.0
//
// ResizePool: a pool grows and shrinks while messages are under way, and none
// is lost or handled twice.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/pools/pool.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/pools/pool_rig.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using testing::ForEachSeed;
using ::testing::HasSubstr;
using testing::SimBus;

constexpr absl::Duration kSecond = absl::Seconds(1);

std::vector<std::string> NamesOf(const PoolInfo& info) {
  std::vector<std::string> names;
  for (const PoolWorkerInfo& worker : info.workers) {
    names.push_back(worker.name + (worker.drains ? " drains" : ""));
  }
  return names;
}

TEST(PoolResizeTest, P22_NewWorkersComeBehindTheOthersAndTheLastOnesGo) {
  Diary diary;
  SimBus sim({.loops = 3});
  Desk desk = OpenDesk<RoundRobin>(sim, diary, {.workers = 2});
  EXPECT_THAT(NamesOf(desk.Info()), ElementsAre("desk/0", "desk/1"));
  EXPECT_TRUE(desk.Resize(4).ok());
  EXPECT_THAT(NamesOf(desk.Info()),
              ElementsAre("desk/0", "desk/1", "desk/2", "desk/3"));
  sim.RunUntilIdle();
  EXPECT_EQ(diary.live, 4);
  EXPECT_TRUE(desk.Resize(1).ok());
  EXPECT_THAT(NamesOf(desk.Info()), ElementsAre("desk/0"));
  EXPECT_EQ(diary.live, 1);
  // No worker of the pool had the name before.
  EXPECT_TRUE(desk.Resize(2).ok());
  EXPECT_THAT(NamesOf(desk.Info()), ElementsAre("desk/0", "desk/4"));
  EXPECT_TRUE(desk.Resize(2).ok());
  EXPECT_EQ(sim.ledger().failed, 0u);
}

TEST(PoolResizeTest, WorkersAreSpreadOverTheLoops) {
  Diary diary;
  SimBus sim({.loops = 3});
  const auto loops_of = [&](const PoolOptions& options) {
    Desk desk = OpenDesk<RoundRobin>(sim, diary, options);
    EXPECT_TRUE(desk.Resize(1).ok());
    EXPECT_TRUE(desk.Resize(5).ok());
    std::vector<int> loops;
    for (const PoolWorkerInfo& worker : desk.Info().workers) {
      loops.push_back(worker.loop);
    }
    desk.clerk.Stop();
    sim.RunUntilIdle();
    return loops;
  };
  EXPECT_THAT(loops_of({}), ElementsAre(0, 1, 2, 0, 1));
  EXPECT_THAT(loops_of({.loops = {2, 1}}), ElementsAre(2, 1, 2, 1, 2));
}

TEST(PoolResizeTest, P22_TheReplyComesWhenTheWorkersThatGoHaveEnded) {
  Diary diary;
  SimBus sim({.loops = 2});
  Desk desk = OpenDesk<RoundRobin>(sim, diary, {.workers = 2});
  for (uint64_t id = 0; id < 4; ++id) {
    desk.clerk.Tell(Note{id, 10 * kSecond});
  }
  sim.RunUntilIdle();
  const Instant before = sim.Now();
  // The asker does not wait for it: the change goes on.
  EXPECT_EQ(desk.Resize(1, kSecond).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(NamesOf(desk.Info()), ElementsAre("desk/0", "desk/1 drains"));
  // The second call has nothing to wait for.
  EXPECT_TRUE(desk.Resize(1, kSecond).ok());
  EXPECT_EQ(sim.Now() - before, kSecond);
  EXPECT_TRUE(desk.Resize(0, absl::Minutes(1)).ok());
  EXPECT_EQ(sim.Now() - before, 20 * kSecond);
  EXPECT_EQ(diary.handled.size(), 4u);
}

TEST(PoolResizeTest, ASizeThatIsTooLargeOrCannotBeSpawnedIsAnError) {
  Diary diary;
  SimBus sim({.loops = 1, .adjust = [](BusOptions& options) {
                options.loops[0].max_actors = 4;
              }});
  Desk desk = OpenDesk<RoundRobin>(sim, diary, {.workers = 2});
  const absl::Status large = desk.Resize(PoolOptions::kMostWorkers + 1);
  EXPECT_EQ(large.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(large.message()), HasSubstr("0 to 1024"));
  EXPECT_EQ(desk.Info().workers.size(), 2u);

  const absl::Status many = desk.Resize(10);
  EXPECT_EQ(many.code(), absl::StatusCode::kResourceExhausted) << many;
  EXPECT_THAT(std::string(many.message()), HasSubstr("has 3 workers"));
  EXPECT_EQ(desk.Info().workers.size(), 3u);
  EXPECT_TRUE(desk.Ask(1).ok());
}

TEST(PoolResizeTest, P22_OneMoreWorkerTakesItsShareOfTheKeys) {
  Diary diary;
  SimBus sim({.loops = 2});
  Desk desk = OpenDesk<ByKey>(sim, diary, {.workers = 9}, 1 << 16);
  constexpr uint64_t kKeys = 10'000;
  const auto workers_of_keys = [&] {
    diary.begun.clear();
    for (uint64_t id = 0; id < kKeys; ++id) desk.clerk.Tell(Note{id});
    sim.RunUntilIdle();
    std::map<uint64_t, std::string> workers;
    for (const auto& [worker, id] : diary.begun) workers[id] = worker;
    EXPECT_EQ(workers.size(), kKeys);
    return workers;
  };
  const auto before = workers_of_keys();
  ASSERT_TRUE(desk.Resize(10).ok());
  const auto after = workers_of_keys();
  uint64_t moved = 0;
  for (const auto& [id, worker] : before) {
    if (after.at(id) == worker) continue;
    ++moved;
    EXPECT_EQ(after.at(id), "desk/9");
  }
  // A tenth, give or take four standard deviations.
  EXPECT_NEAR(moved, kKeys / 10.0, 4 * 30.0);
  ASSERT_TRUE(desk.Resize(9).ok());
  EXPECT_EQ(workers_of_keys(), before);
}

// Every message that the pool took is handled once, whatever its size was then.
template <typename Policy>
void ExpectNoLoss(const char* name) {
  SCOPED_TRACE(name);
  ForEachSeed(60, [](uint64_t seed) {
    Diary diary;
    SimBus sim(Quiet(seed));
    Desk desk = OpenDesk<Policy>(sim, diary, {.workers = 3});
    std::vector<uint64_t> told;
    std::map<uint64_t, std::shared_ptr<absl::StatusOr<std::string>>> asked;
    std::vector<std::shared_ptr<absl::Status>> resized;
    SimRandom& random = sim.world().random();
    for (uint64_t id = 0; id < 300; ++id) {
      const absl::Duration takes = absl::Milliseconds(random.Below(3));
      switch (random.Below(12)) {
        case 0: {
          auto result = std::make_shared<absl::Status>(
              absl::UnknownError("no outcome yet"));
          resized.push_back(result);
          desk.clerk.AskThen(
              ResizePool{1 + static_cast<uint32_t>(random.Below(6))},
              absl::Minutes(10),
              [result](absl::Status status) { *result = status; });
          break;
        }
        case 1:
          sim.RunFor(absl::Milliseconds(random.Below(5)));
          break;
        case 2:
        case 3:
        case 4:
          asked[id] = desk.Begin(id, takes, absl::Minutes(10));
          break;
        default:
          told.push_back(id);
          EXPECT_EQ(desk.clerk.Tell(Note{id, takes}), Delivery::kAccepted);
      }
    }
    sim.RunFor(absl::Minutes(1));
    std::vector<uint64_t> expected = told;
    for (const auto& [id, reply] : asked) {
      EXPECT_TRUE(reply->ok()) << reply->status();
      expected.push_back(id);
    }
    for (const auto& result : resized) EXPECT_TRUE(result->ok()) << *result;
    std::sort(expected.begin(), expected.end());
    std::sort(diary.handled.begin(), diary.handled.end());
    EXPECT_EQ(diary.handled, expected);

    const PoolInfo info = desk.Info();
    EXPECT_EQ(info.asks, 0u);
    EXPECT_EQ(info.waiting, 0u);
    EXPECT_EQ(info.given, expected.size());
    for (const PoolWorkerInfo& worker : info.workers) {
      EXPECT_EQ(worker.load, 0u);
      EXPECT_EQ(worker.restarts, 0u);
      EXPECT_FALSE(worker.drains);
    }
    EXPECT_EQ(static_cast<int>(info.workers.size()), diary.live);
    const Ledger ledger = sim.ledger();
    EXPECT_TRUE(ledger.Balances()) << ledger.ToString();
    EXPECT_EQ(
        ledger.failed + ledger.expired + ledger.dead_lettered + ledger.refused,
        0u)
        << ledger.ToString();
  });
}

TEST(PoolResizeTest, P22_NoMessageIsLostOrHandledTwice) {
  ExpectNoLoss<RoundRobin>("RoundRobin");
  ExpectNoLoss<LeastLoaded>("LeastLoaded");
  ExpectNoLoss<ByKey>("ConsistentHash");
  ExpectNoLoss<WorkPulling>("WorkPulling");
}

}  // namespace
}  // namespace trolley
