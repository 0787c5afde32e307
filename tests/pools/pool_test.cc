// SPDX-License-Identifier: Apache-2.0
//
// Pools: which worker gets a message, what passes through, what is bounded, and
// how a pool ends. Each test runs with many seeds on one to three loops.

#include "trolley/actors/pools/pool.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/actors/wire.h"
#include "trolley/bus/trace_context.h"
#include "trolley/tests/pools/pool_rig.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using testing::ForEachSeed;
using ::testing::HasSubstr;
using testing::SimBus;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kHour = absl::Hours(1);
constexpr absl::Duration kSecond = absl::Seconds(1);

// Runs `test` with many seeds, each with one to three loops.
void ForEachBus(absl::FunctionRef<void(SimBus& sim, Diary& diary)> test) {
  ForEachSeed(30, [&](uint64_t seed) {
    Diary diary;
    {
      SimBus sim(Quiet(seed));
      test(sim, diary);
    }
    EXPECT_EQ(diary.live, 0) << "a worker has outlived its bus";
  });
}

template <typename Policy>
Desk Open(SimBus& sim, Diary& diary, const PoolOptions& options,
          uint32_t mailbox) {
  return OpenDesk<Policy>(sim, diary, options, mailbox);
}
struct AnyPolicy {
  const char* name;
  Desk (*open)(SimBus&, Diary&, const PoolOptions&, uint32_t);
  bool waits_for_tells;
};
// All but Broadcast, whose replies are vectors.
const AnyPolicy kRoundRobin = {"RoundRobin", &Open<RoundRobin>, false};
const AnyPolicy kLeastLoaded = {"LeastLoaded", &Open<LeastLoaded>, true};
const AnyPolicy kByKey = {"ConsistentHash", &Open<ByKey>, false};
const AnyPolicy kWorkPulling = {"WorkPulling", &Open<WorkPulling>, true};
const AnyPolicy kPolicies[] = {kRoundRobin, kLeastLoaded, kByKey, kWorkPulling};

// The number of the worker that the name in a reply ends with.
std::string Number(const absl::StatusOr<std::string>& name) {
  return name.ok() ? name->substr(name->rfind('/') + 1)
                   : name.status().ToString();
}

// --- Whose turn it is --------------------------------------------------------

struct Step {
  uint64_t id;
  absl::Duration takes;
};
struct Turns {
  AnyPolicy policy;
  std::vector<Step> messages;
  // By message; kWaits: it has not begun.
  std::vector<std::string> workers;

  std::vector<std::string> Begun() const {
    std::vector<std::string> begun = workers;
    std::erase(begun, kWaits);
    return begun;
  }
  static constexpr char kWaits[] = "waits";
};

// Three workers; the messages come at once, and time does not move.
std::vector<Turns> TurnsTable() {
  const absl::Duration now = absl::ZeroDuration();
  return {
      {kRoundRobin,
       {{1, now}, {2, kHour}, {3, now}, {4, now}, {5, now}, {6, now}},
       {"0", "1", "2", "0", Turns::kWaits, "2"}},
      {kLeastLoaded,
       {{1, kHour}, {2, kHour}, {3, now}, {4, now}, {5, now}},
       {"0", "1", "2", "2", "2"}},
      {kWorkPulling,
       {{1, kHour}, {2, kHour}, {3, now}, {4, now}, {5, now}},
       {"0", "1", "2", "2", "2"}},
  };
}

TEST(PoolTest, P22_EachPolicyGivesATellToItsWorker) {
  for (const Turns& turns : TurnsTable()) {
    SCOPED_TRACE(turns.policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = turns.policy.open(sim, diary, {.workers = 3}, 1024);
      for (const Step& step : turns.messages) {
        EXPECT_EQ(desk.clerk.Tell(Note{step.id, step.takes}),
                  Delivery::kAccepted);
        sim.RunUntilIdle();
      }
      EXPECT_EQ(diary.Order(), turns.Begun());
    });
  }
}

TEST(PoolTest, P22_EachPolicyGivesAnAskToItsWorker) {
  for (const Turns& turns : TurnsTable()) {
    SCOPED_TRACE(turns.policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = turns.policy.open(sim, diary, {.workers = 3}, 1024);
      for (size_t i = 0; i < turns.messages.size(); ++i) {
        const auto reply =
            desk.Begin(turns.messages[i].id, turns.messages[i].takes, kHour);
        sim.RunUntilIdle();
        if (turns.messages[i].takes > absl::ZeroDuration() ||
            turns.workers[i] == Turns::kWaits) {
          EXPECT_EQ(reply->status().message(), "no outcome yet");
        } else {
          EXPECT_EQ(Number(*reply), turns.workers[i]);
        }
      }
      EXPECT_EQ(diary.Order(), turns.Begun());
    });
  }
}

// Also messages that the pool has not begun to handle when the next one comes.
TEST(PoolTest, ABurstIsSpreadInTurnWhateverTheSeed) {
  for (const AnyPolicy& policy : {kRoundRobin, kLeastLoaded}) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 3}, 1024);
      for (uint64_t id = 0; id < 30; ++id) {
        desk.clerk.Tell(Note{id, kHour});
      }
      sim.RunUntilIdle();
      for (const PoolWorkerInfo& worker : desk.Info().workers) {
        EXPECT_EQ(worker.given, 10u);
        EXPECT_EQ(worker.load, policy.waits_for_tells ? 10u : 0u);
      }
    });
  }
}

TEST(PoolTest, P22_AKeyKeepsItsWorkerAndTheOrderOfItsMessages) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<ByKey>(sim, diary, {.workers = 5});
    for (int round = 0; round < 20; ++round) {
      for (uint64_t id = 0; id < 10; ++id) {
        if ((round + id) % 3 == 0) {
          desk.Begin(id, absl::ZeroDuration(), kSecond);
        } else {
          desk.clerk.Tell(Note{id});
        }
      }
    }
    sim.RunUntilIdle();
    ASSERT_EQ(diary.begun.size(), 200u);
    std::map<uint64_t, std::set<std::string>> workers;
    std::set<std::string> all;
    for (const auto& [worker, id] : diary.begun) {
      workers[id].insert(worker);
      all.insert(worker);
    }
    for (const auto& [id, of_id] : workers) EXPECT_EQ(of_id.size(), 1u) << id;
    EXPECT_GT(all.size(), 2u);
  });
}

struct Step2 {
  uint64_t id = 0;
  uint64_t number = 0;
};

// Tells and asks of one key, each with a number that rises.
class Ordered : public Actor {
 public:
  explicit Ordered(std::map<uint64_t, std::vector<uint64_t>>* seen)
      : seen_(*seen) {}
  Task<int> On(Step2 m) {
    seen_[m.id].push_back(m.number);
    if (m.number % 4 == 0) co_await Sleep(absl::Milliseconds(1));
    co_return 0;
  }

 private:
  std::map<uint64_t, std::vector<uint64_t>>& seen_;
};

TEST(PoolTest, P22_TheMessagesOfAKeyComeInTheOrderInWhichThePoolTookThem) {
  ForEachSeed(30, [](uint64_t seed) {
    std::map<uint64_t, std::vector<uint64_t>> seen;
    SimBus sim(Quiet(seed));
    auto* const to = &seen;
    const auto pool = sim.Spawn<Pool<Ordered, ByKey>>(
        {}, PoolOptions{.workers = 3},
        [to] { return std::make_unique<Ordered>(to); });
    for (uint64_t number = 0; number < 100; ++number) {
      for (uint64_t id = 0; id < 5; ++id) {
        if ((number + id) % 2 == 0) {
          pool.Tell(Step2{id, number});
        } else {
          pool.AskThen(Step2{id, number}, kHour,
                       [](const absl::StatusOr<int>&) {});
        }
      }
    }
    sim.RunFor(kHour);
    for (uint64_t id = 0; id < 5; ++id) {
      EXPECT_EQ(seen[id].size(), 100u);
      EXPECT_TRUE(std::is_sorted(seen[id].begin(), seen[id].end()));
    }
  });
}

TEST(PoolTest, P22_ASlowMessageHoldsUpNoOtherWithWorkPulling) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<WorkPulling>(sim, diary, {.workers = 2});
    desk.clerk.Tell(Note{1, kHour});
    for (uint64_t id = 2; id <= 100; ++id) {
      desk.clerk.Tell(Note{id, absl::Milliseconds(10)});
    }
    sim.RunFor(kSecond);
    // One worker after the other: in the order in which they came.
    ASSERT_EQ(diary.handled.size(), 99u);
    EXPECT_TRUE(std::is_sorted(diary.handled.begin(), diary.handled.end()));
    EXPECT_EQ(diary.handled.front(), 2u);
  });
}

TEST(PoolTest, P22_MessagesThatWaitForAFreeWorkerAreServedInTheirOrder) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<WorkPulling>(sim, diary, {.workers = 3});
    for (uint64_t id = 1; id <= 20; ++id) {
      if (id % 3 == 0) {
        desk.Begin(id, kSecond, kHour);
      } else {
        desk.clerk.Tell(Note{id, kSecond});
      }
    }
    sim.RunUntilIdle();
    const PoolInfo info = desk.Info();
    EXPECT_EQ(info.waiting, 17u);
    for (const PoolWorkerInfo& worker : info.workers) {
      EXPECT_EQ(worker.load, 1u);
    }
    sim.RunFor(absl::Minutes(1));
    // Workers on other loops may swap the ids that begin at one time.
    ASSERT_EQ(diary.begun.size(), 20u);
    for (size_t i = 0; i < diary.begun.size(); ++i) {
      EXPECT_EQ((diary.begun[i].second - 1) / 3, i / 3);
    }
  });
}

// --- Broadcast ---------------------------------------------------------------

TEST(PoolTest, P22_ABroadcastTellReachesEachWorkerOnce) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    const auto pool = SpawnDesk<Broadcast>(sim, diary, {.workers = 4});
    sim.RunUntilIdle();
    const uint64_t before = sim.ledger().handled;
    for (uint64_t id = 1; id <= 10; ++id) pool.Tell(Note{id});
    sim.RunUntilIdle();
    std::map<std::string, std::vector<uint64_t>> got;
    for (const auto& [worker, id] : diary.begun) got[worker].push_back(id);
    ASSERT_EQ(got.size(), 4u);
    for (const auto& [worker, ids] : got) {
      EXPECT_THAT(ids, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)) << worker;
    }
    EXPECT_EQ(sim.ledger().handled, before + 50);
    EXPECT_EQ(sim.Ask(pool, GetPoolInfo{}, kSecond)->given, 40u);
  });
}

TEST(PoolTest, P22_ABroadcastAskGetsTheReplyOfEachWorkerInTheirOrder) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    const auto pool = SpawnDesk<Broadcast>(sim, diary, {.workers = 3});
    const absl::StatusOr<std::vector<absl::StatusOr<std::string>>> names =
        sim.Ask(pool, Question{1, kSecond}, absl::Minutes(1));
    ASSERT_TRUE(names.ok()) << names.status();
    ASSERT_EQ(names->size(), 3u);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(*(*names)[i], absl::StrCat("desk/", i));
    }
    const absl::StatusOr<std::vector<absl::Status>> refused =
        sim.Ask(pool, Refuse{2}, kSecond);
    ASSERT_TRUE(refused.ok()) << refused.status();
    EXPECT_THAT(*refused, ElementsAre(absl::DataLossError("no 2"),
                                      absl::DataLossError("no 2"),
                                      absl::DataLossError("no 2")));
  });
}

TEST(PoolTest, P22_ABroadcastAskTellsWhichMailboxWasFull) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    const auto pool =
        SpawnDesk<Broadcast>(sim, diary, {.workers = 2, .worker_mailbox = 1});
    sim.RunUntilIdle();
    const PoolInfo before = *sim.Ask(pool, GetPoolInfo{}, kSecond);
    Ref<Clerk>(before.workers[0].address).Tell(Note{1, kHour});
    sim.RunUntilIdle();
    const auto names = sim.Ask(pool, Question{2}, kSecond);
    ASSERT_TRUE(names.ok()) << names.status();
    EXPECT_EQ((*names)[0].status().code(),
              absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(*(*names)[1], "desk/1");
    pool.Tell(Note{3});
    sim.RunUntilIdle();
    const PoolInfo after = *sim.Ask(pool, GetPoolInfo{}, kSecond);
    EXPECT_EQ(after.refused_full, 2u);
    EXPECT_EQ(after.given, 2u);
    EXPECT_EQ(sim.ledger().failed, 1u);  // the tell to the pool
  });
}

// --- What passes through -----------------------------------------------------

TEST(PoolTest, P22_ReplyAndErrorOfTheWorkerReachTheAsker) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 2}, 1024);
      EXPECT_THAT(*desk.Ask(1), HasSubstr("desk/"));
      EXPECT_EQ(sim.Ask(desk.clerk, Refuse{2}, kSecond),
                absl::DataLossError("no 2"));
      EXPECT_EQ(sim.Ask(desk.clerk, Note{3}, kSecond), absl::OkStatus());
    });
  }
}

TEST(PoolTest, P22_TheDeadlineOfAnAskEndsTheWorkersHandler) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 1}, 1024);
      const absl::StatusOr<std::string> late = desk.Ask(1, kHour, kSecond);
      EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
      sim.RunFor(kSecond);  // a look for what has expired may come later
      EXPECT_THAT(diary.cancelled, ElementsAre(1));
      EXPECT_EQ(desk.Info().workers[0].load, 0u);
      EXPECT_EQ(desk.Info().asks, 0u);
      EXPECT_TRUE(desk.Ask(2).ok());
    });
  }
}

TEST(PoolTest, P22_AnAskThatWaitsInThePoolEndsAtItsDeadline) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<WorkPulling>(sim, diary, {.workers = 1});
    desk.clerk.Tell(Note{1, kHour});
    const absl::StatusOr<std::string> late =
        desk.Ask(2, absl::ZeroDuration(), kSecond);
    EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
    sim.RunFor(kSecond);
    EXPECT_EQ(desk.Info().waiting, 0u);
    sim.RunFor(2 * kHour);
    EXPECT_THAT(diary.handled, ElementsAre(1)) << "a late ask was handled";
    EXPECT_TRUE(desk.Ask(3).ok());
  });
}

TEST(PoolTest, P22_TheDeadlineOfATellReachesTheWorker) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 1}, 1024);
      desk.clerk.TellWith({.deadline = sim.Now() + kSecond}, Note{1, kHour});
      desk.clerk.TellWith({.deadline = sim.Now() + 2 * kSecond}, Note{2});
      desk.clerk.TellWith({.deadline = sim.Now() + kSecond / 2}, Note{3});
      sim.RunFor(kHour);
      EXPECT_THAT(diary.cancelled, ElementsAre(1));
      EXPECT_THAT(diary.handled, ElementsAre(2));
    });
  }
}

struct Go {};

// Asks, and gives up when it is told to.
class Impatient : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Impatient(Ref<ClerkProtocol> clerk) : clerk_(std::move(clerk)) {}
  Task<absl::Status> On(Go) {
    auto asking = clerk_.Ask(Question{7, kHour}, absl::InfiniteDuration());
    asking_ = &asking;
    const absl::StatusOr<std::string> reply = co_await asking;
    co_return reply.status();
  }
  void On(const Boom&) { asking_->GiveUp(absl::CancelledError("enough")); }

 private:
  const Ref<ClerkProtocol> clerk_;
  AskAwaiter<absl::StatusOr<std::string>>* asking_ = nullptr;
};

TEST(PoolTest, P22_AnAskerThatGivesUpCancelsTheWorkersHandler) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 1}, 1024);
      const auto asker = sim.Spawn<Impatient>({}, desk.clerk);
      asker.Tell(Go{});
      sim.RunUntilIdle();
      ASSERT_EQ(diary.begun.size(), 1u);
      asker.Tell(Boom{});
      sim.RunFor(kSecond);
      EXPECT_THAT(diary.cancelled, ElementsAre(7));
      EXPECT_EQ(desk.Info().asks, 0u);
    });
  }
}

TEST(PoolTest, P22_AnAskerThatEndsLeavesTheLineOfAPullingPool) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<WorkPulling>(sim, diary, {.workers = 1});
    desk.clerk.Tell(Note{1, kSecond});
    const auto asker = sim.Spawn<Impatient>({}, desk.clerk);
    asker.Tell(Go{});
    desk.clerk.Tell(Note{2});
    sim.RunUntilIdle();
    EXPECT_EQ(desk.Info().waiting, 2u);
    asker.Stop();
    sim.RunFor(absl::Milliseconds(100));  // the loop looks for such asks
    EXPECT_EQ(desk.Info().waiting, 1u);
    sim.RunFor(absl::Minutes(1));
    EXPECT_THAT(diary.handled, ElementsAre(1, 2));
  });
}

struct Traced {};
class Tracer : public Actor {
 public:
  TraceContext On(const Traced&) { return trace(); }
};

TEST(PoolTest, P22_TheTraceReachesTheWorker) {
  SimBus sim({.loops = 2});
  const auto pool = sim.Spawn<Pool<Tracer>>({}, PoolOptions{.workers = 2});
  class Sender : public Actor {
   public:
    explicit Sender(Ref<Pool<Tracer>> pool) : pool_(std::move(pool)) {}
    Task<bool> On(Go) {
      const TraceContext mine = *TraceContext::FromTraceparent(
          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
      SetTrace(mine);
      auto asking = pool_.Ask(Traced{}, kSecond);
      const absl::StatusOr<TraceContext> got = co_await asking;
      co_return got.ok() && *got == mine;
    }

   private:
    const Ref<Pool<Tracer>> pool_;
  };
  EXPECT_EQ(*sim.Ask(sim.Spawn<Sender>({}, pool), Go{}, kSecond), true);
}

// --- What is bounded ---------------------------------------------------------

TEST(PoolTest, P22_WhenAllWorkersAreFullAnAskLearnsItAndATellIsCounted) {
  for (const AnyPolicy& policy : {kRoundRobin, kLeastLoaded, kByKey}) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk =
          policy.open(sim, diary, {.workers = 3, .worker_mailbox = 2}, 1024);
      // With one key only one worker is meant.
      const uint64_t fit = policy.open == kByKey.open ? 2 : 6;
      for (uint64_t i = 0; i < fit; ++i) {
        desk.clerk.Tell(Note{5, absl::Minutes(1)});
      }
      sim.RunUntilIdle();
      EXPECT_EQ(desk.Info().refused_full, 0u);
      EXPECT_EQ(desk.Info().given, fit);

      const absl::StatusOr<std::string> refused = desk.Ask(5);
      EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
      EXPECT_THAT(std::string(refused.status().message()),
                  HasSubstr("the pool desk"));
      EXPECT_EQ(desk.Info().refused_full, 1u);
      const Ledger before = sim.ledger();
      EXPECT_EQ(desk.clerk.Tell(Note{5}), Delivery::kAccepted);
      sim.RunUntilIdle();
      EXPECT_EQ(sim.ledger().failed, before.failed + 1);
      EXPECT_EQ(desk.Info().refused_full, 2u);

      sim.RunFor(kHour);
      EXPECT_TRUE(desk.Ask(5).ok());
      EXPECT_EQ(diary.handled.size(), fit + 1);
    });
  }
}

TEST(PoolTest, P22_WhenAPullingPoolIsFullTheSenderLearnsItFromItsMailbox) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<WorkPulling>(sim, diary, {.workers = 2}, 8);
    uint64_t accepted = 0;
    for (uint64_t id = 1; id <= 20; ++id) {
      const Delivery told = desk.clerk.Tell(Note{id, kSecond});
      if (told == Delivery::kAccepted) {
        ++accepted;
      } else {
        EXPECT_EQ(told, Delivery::kFull);
      }
      sim.RunUntilIdle();
    }
    EXPECT_EQ(accepted, 8u);
    EXPECT_EQ(desk.Ask(21).status().code(),
              absl::StatusCode::kResourceExhausted);
    sim.RunFor(absl::Minutes(1));
    EXPECT_EQ(diary.handled.size(), 8u);
    EXPECT_EQ(desk.Info().refused_full, 0u);
    EXPECT_EQ(sim.ledger().failed, 0u);
  });
}

// Sends one note after the other, as fast as the pool takes them.
class Producer : public Actor {
 public:
  Producer(Ref<ClerkProtocol> to, uint64_t count)
      : to_(std::move(to)), count_(count) {}
  Task<absl::Status> On(Go) {
    for (uint64_t id = 1; id <= count_; ++id) {
      auto sending = to_.Send<Note>(id, absl::Milliseconds(1));
      const absl::Status sent = co_await sending;
      if (!sent.ok()) co_return sent;
    }
    co_return absl::OkStatus();
  }

 private:
  const Ref<ClerkProtocol> to_;
  const uint64_t count_;
};

TEST(PoolTest, SendWaitsForAPoolThatWaitsForTells) {
  for (const AnyPolicy& policy : {kLeastLoaded, kWorkPulling}) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 3}, 8);
      const auto producer = sim.Spawn<Producer>({}, desk.clerk, 200);
      EXPECT_EQ(sim.Ask(producer, Go{}, kHour), absl::OkStatus());
      sim.RunFor(kSecond);
      EXPECT_EQ(diary.handled.size(), 200u);
      EXPECT_EQ(sim.ledger().failed, 0u);
    });
  }
}

TEST(PoolTest, P22_MoreAsksThanMaxAsksAreRefusedAndThePoolStillAnswers) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 2, .max_asks = 5}, 64);
      std::vector<std::shared_ptr<absl::StatusOr<std::string>>> replies;
      for (uint64_t id = 0; id < 9; ++id) {
        replies.push_back(desk.Begin(id, kSecond, kHour));
      }
      sim.RunUntilIdle();
      EXPECT_EQ(desk.Info().asks, 5u);
      EXPECT_EQ(desk.Info().refused_asks, 4u);
      EXPECT_TRUE(desk.Resize(3).ok());
      sim.RunFor(kHour / 2);
      for (size_t i = 0; i < replies.size(); ++i) {
        EXPECT_EQ(replies[i]->status().code(),
                  i < 5 ? absl::StatusCode::kOk
                        : absl::StatusCode::kResourceExhausted)
            << replies[i]->status();
      }
      EXPECT_EQ(desk.Info().asks, 0u);
    });
  }
}

TEST(PoolTest, P22_APoolWithoutWorkersSaysSo) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 0}, 1024);
      EXPECT_EQ(desk.Ask(1).status(),
                absl::UnavailableError("the pool desk has no workers; "
                                       "ResizePool gives it some"));
      desk.clerk.Tell(Note{2});
      sim.RunUntilIdle();
      EXPECT_EQ(desk.Info().refused_empty, 2u);
      EXPECT_EQ(sim.ledger().failed, 2u);
      EXPECT_TRUE(desk.Resize(1).ok());
      EXPECT_TRUE(desk.Ask(3).ok());
    });
  }
}

TEST(PoolTest, P22_APullingPoolThatIsResizedToNothingHandlesWhatWaits) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<WorkPulling>(sim, diary, {.workers = 2}, 16);
    for (uint64_t id = 1; id <= 7; ++id) desk.clerk.Tell(Note{id, kSecond});
    sim.RunUntilIdle();
    const auto resized = std::make_shared<absl::Status>();
    desk.clerk.AskThen(ResizePool{0}, kHour,
                       [resized](absl::Status got) { *resized = got; });
    sim.RunUntilIdle();
    // No further message is taken, and the pool is not stuck.
    desk.clerk.Tell(Note{8});
    sim.RunUntilIdle();
    EXPECT_EQ(sim.ledger().failed, 1u);
    sim.RunFor(absl::Minutes(1));
    EXPECT_TRUE(resized->ok()) << *resized;
    EXPECT_THAT(diary.handled, UnorderedElementsAre(1, 2, 3, 4, 5, 6, 7));
    EXPECT_EQ(diary.live, 0);
    EXPECT_EQ(desk.Info().refused_empty, 1u);
    EXPECT_TRUE(desk.Resize(1).ok());
    EXPECT_TRUE(desk.Ask(9).ok());
  });
}

TEST(PoolTest, ALaterSizeTakesThePlaceOfNone) {
  ForEachBus([](SimBus& sim, Diary& diary) {
    Desk desk = OpenDesk<WorkPulling>(sim, diary, {.workers = 1});
    for (uint64_t id = 1; id <= 5; ++id) desk.clerk.Tell(Note{id, kSecond});
    sim.RunUntilIdle();
    const auto none = std::make_shared<absl::Status>(absl::UnknownError(""));
    desk.clerk.AskThen(ResizePool{0}, kHour,
                       [none](absl::Status got) { *none = got; });
    sim.RunUntilIdle();
    EXPECT_TRUE(desk.Resize(2).ok());
    sim.RunUntilIdle();
    EXPECT_TRUE(none->ok()) << *none;
    EXPECT_TRUE(desk.Ask(6).ok());
    sim.RunFor(absl::Minutes(1));
    EXPECT_EQ(diary.handled.size(), 6u);
    EXPECT_EQ(desk.Info().workers.size(), 2u);
  });
}

TEST(PoolTest, P22_ABroadcastWithoutWorkersSaysSo) {
  SimBus sim;
  Diary diary;
  const auto pool = SpawnDesk<Broadcast>(sim, diary, {.workers = 0});
  EXPECT_EQ(sim.Ask(pool, Question{1}, kSecond).status().code(),
            absl::StatusCode::kUnavailable);
  pool.Tell(Note{2});
  sim.RunUntilIdle();
  EXPECT_EQ(sim.Ask(pool, GetPoolInfo{}, kSecond)->refused_empty, 2u);
}

// --- A refused message goes to the next worker whole -------------------------

struct Parcel {
  std::unique_ptr<int> content;
};
class Receiver : public Actor {
 public:
  int On(Parcel m) { return m.content != nullptr ? *m.content : -1; }
  Task<> On(Go) { co_await Sleep(kHour); }
};

template <typename Policy>
void ExpectAWholeParcel() {
  ForEachSeed(30, [](uint64_t seed) {
    SimBus sim(Quiet(seed));
    const auto pool = sim.Spawn<Pool<Receiver, Policy>>(
        {}, PoolOptions{.workers = 3, .worker_mailbox = 1});
    sim.RunUntilIdle();
    // Others fill the mailboxes of two workers, so that the pool cannot know.
    const PoolInfo info = *sim.Ask(pool, GetPoolInfo{}, kSecond);
    Ref<Receiver>(info.workers[0].address).Tell(Go{});
    Ref<Receiver>(info.workers[1].address).Tell(Go{});
    sim.RunUntilIdle();
    for (int round = 0; round < 3; ++round) {
      const absl::StatusOr<int> got =
          sim.Ask(pool, Parcel{std::make_unique<int>(7)}, kSecond);
      ASSERT_TRUE(got.ok()) << got.status();
      EXPECT_EQ(*got, 7);
    }
  });
}
TEST(PoolTest, P22_AnAskThatAFullWorkerRefusesIsOfferedToTheNextOneWhole) {
  ExpectAWholeParcel<RoundRobin>();
  ExpectAWholeParcel<LeastLoaded>();
}

// --- Cycles ------------------------------------------------------------------

struct Count {
  int depth;
};
// Asks its own pool, so deep.
class Nested : public Actor {
 public:
  using Way = Protocol<absl::StatusOr<int>(Count)>;
  explicit Nested(const Ref<Way>* way) : way_(*way) {}
  Task<absl::StatusOr<int>> On(Count m) {
    if (m.depth == 0) co_return 0;
    auto asking = way_.Ask(Count{m.depth - 1}, kSecond);
    const absl::StatusOr<int> below = co_await asking;
    if (!below.ok()) co_return below.status();
    co_return *below + 1;
  }

 private:
  const Ref<Way>& way_;
};

template <typename Policy>
void ExpectCyclesToBeFound() {
  ForEachSeed(30, [](uint64_t seed) {
    Ref<Nested::Way> way;
    SimBus sim(Quiet(seed));
    const auto* const to = &way;
    way = sim.Spawn<Pool<Nested, Policy>>({}, PoolOptions{.workers = 3}, [to] {
      return std::make_unique<Nested>(to);
    });
    EXPECT_EQ(*sim.Ask(way, Count{2}, kSecond), 2);
    const Instant before = sim.Now();
    EXPECT_EQ(sim.Ask(way, Count{3}, kSecond).status().code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(sim.Now(), before) << "it was found by its deadline only";
    way = {};
  });
}
TEST(PoolTest, P22_AWorkerThatAsksItsOwnPoolGetsAnotherOneOrLearnsOfTheCycle) {
  ExpectCyclesToBeFound<RoundRobin>();
  ExpectCyclesToBeFound<LeastLoaded>();
}

// --- From other processes ----------------------------------------------------

// As Protobuf makes them, as far as the bus looks.
template <int kNumber>
struct WireText {
  struct Descriptor {
    std::string full_name() const { return absl::StrCat("test.", kNumber); }
  };
  static const Descriptor* descriptor() {
    static const Descriptor kDescriptor;
    return &kDescriptor;
  }
  bool ParseFromArray(const void* bytes, int size) {
    text.assign(static_cast<const char*>(bytes), size);
    return true;
  }
  bool SerializeToString(std::string* to) const {
    *to = text;
    return true;
  }
  std::string text;
};
using Hello = WireText<1>;
using Answer = WireText<2>;

class Greeter : public Actor {
 public:
  using Receives = Protocol<Answer(Hello)>;
  Answer On(const Hello& m) { return {.text = m.text + "!"}; }
};

TEST(PoolTest, APoolReceivesFromOtherProcessesWhatItsWorkersReceive) {
  SimBus sim({.loops = 2});
  sim.Spawn<Pool<Greeter>>({.name = "greeters"});
  const absl::StatusOr<WireTarget> target =
      WireTarget::Find(sim.bus(), "greeters");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_THAT(target->accepts(), ElementsAre("test.1"));
  const WireMessage hello = {.type = "test.1", .bytes = "hi"};
  absl::StatusOr<WireMessage> got = absl::UnknownError("none");
  EXPECT_TRUE(target
                  ->AskThen(hello, {},
                            [&](absl::StatusOr<WireMessage> reply, NoAnswer) {
                              got = std::move(reply);
                            })
                  .ok());
  sim.RunUntilIdle();
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->type, "test.2");
  EXPECT_EQ(got->bytes, "hi!");
}

// --- How it ends -------------------------------------------------------------

TEST(PoolTest, P22_AStoppedPoolFailsItsAsksAndEndsItsWorkers) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 2}, 1024);
      std::vector<std::shared_ptr<absl::StatusOr<std::string>>> replies;
      for (uint64_t id = 0; id < 6; ++id) {
        replies.push_back(desk.Begin(id, kHour, absl::InfiniteDuration()));
      }
      sim.RunUntilIdle();
      EXPECT_EQ(diary.live, 2);
      desk.clerk.Stop();
      sim.RunUntilIdle();
      for (const auto& reply : replies) {
        EXPECT_EQ(reply->status().code(), absl::StatusCode::kNotFound)
            << reply->status();
      }
      EXPECT_EQ(diary.live, 0);
      EXPECT_EQ(desk.clerk.Tell(Note{9}), Delivery::kGone);
      // The names are free.
      EXPECT_TRUE(policy.open(sim, diary, {.workers = 2}, 1024).Ask(1).ok());
    });
  }
}

TEST(PoolTest, P22_ADrainedPoolAnswersItsAsksFirst) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 2}, 1024);
      std::vector<std::shared_ptr<absl::StatusOr<std::string>>> replies;
      for (uint64_t id = 0; id < 6; ++id) {
        replies.push_back(desk.Begin(id, kSecond, kHour));
      }
      desk.clerk.Stop(/*drain=*/true);
      sim.RunFor(absl::Minutes(1));
      for (const auto& reply : replies) EXPECT_TRUE(reply->ok());
      EXPECT_EQ(diary.live, 0);
    });
  }
}

TEST(PoolTest, P22_ResizedToNothingAndStoppedItLosesNothing) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 3}, 1024);
      for (uint64_t id = 0; id < 50; ++id) {
        desk.clerk.Tell(Note{id, absl::Milliseconds(10)});
      }
      EXPECT_TRUE(desk.Resize(0).ok());
      EXPECT_EQ(diary.live, 0);
      EXPECT_EQ(diary.handled.size(), 50u);
      desk.clerk.Stop();
      sim.RunUntilIdle();
      EXPECT_EQ(sim.ledger().dead_lettered, 0u);
    });
  }
}

TEST(PoolTest, P22_AShutdownWhileTheMailboxesAreFullLosesNothing) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 3}, 1024);
      std::vector<std::shared_ptr<absl::StatusOr<std::string>>> replies;
      for (uint64_t id = 0; id < 100; ++id) {
        if (id % 2 == 0) {
          desk.clerk.Tell(Note{id});
        } else {
          replies.push_back(desk.Begin(id, absl::ZeroDuration(), kHour));
        }
      }
      const ShutdownReport report = sim.bus().Shutdown(kSecond);
      EXPECT_TRUE(report.clean) << report.ToString();
      EXPECT_TRUE(report.ledger.Balances()) << report.ledger.ToString();
      EXPECT_EQ(report.ledger.dead_lettered, 0u);
      EXPECT_EQ(diary.handled.size(), 100u);
      for (const auto& reply : replies) EXPECT_TRUE(reply->ok());
      EXPECT_EQ(diary.live, 0);
    });
  }
}

// Handlers that wait for a timer do not end: time stands still in a shutdown.
TEST(PoolTest, P22_AShutdownWhileTheWorkersAreBusyEndsAndBalances) {
  for (const AnyPolicy& policy : kPolicies) {
    SCOPED_TRACE(policy.name);
    ForEachBus([&](SimBus& sim, Diary& diary) {
      Desk desk = policy.open(sim, diary, {.workers = 3}, 1024);
      std::vector<std::shared_ptr<absl::StatusOr<std::string>>> replies;
      for (uint64_t id = 0; id < 20; ++id) {
        desk.clerk.Tell(Note{id, kHour});
        replies.push_back(desk.Begin(id, kHour, absl::InfiniteDuration()));
      }
      sim.RunUntilIdle();
      const ShutdownReport report = sim.bus().Shutdown(kSecond);
      EXPECT_FALSE(report.clean);
      EXPECT_TRUE(report.ledger.Balances()) << report.ledger.ToString();
      EXPECT_EQ(diary.live, 0);
      for (const auto& reply : replies) {
        EXPECT_EQ(reply->status().code(), absl::StatusCode::kNotFound)
            << reply->status();
      }
    });
  }
}

}  // namespace
}  // namespace trolley
