// SPDX-License-Identifier: Apache-2.0
//
// A storm: actors and the test tell and ask a pool of small bounds, give up,
// let workers throw, and resize it, all as a seed says. Then the books of the
// test, of the pool and of the bus must agree.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/pools/pool.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/pools/pool_rig.h"

namespace trolley {
namespace {

using testing::ForEachSeed;
using testing::SimBus;

// What the senders know of their messages.
struct Books {
  std::map<uint64_t, Delivery> told;          // by id
  std::map<uint64_t, int> asked;              // how many outcomes it has
  std::map<uint64_t, absl::Status> outcomes;  // the last one
  uint64_t last_id = 0;
  int booms = 0;  // accepted

  void Resolve(uint64_t id, absl::Status outcome) {
    ++asked[id];
    outcomes[id] = std::move(outcome);
  }
};

struct Act {};

// Does one thing after the other; its asks wait beside one another.
class Client : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  Client(Ref<ClerkProtocol> clerk, Books* books, SimRandom* random, int acts)
      : clerk_(std::move(clerk)),
        books_(*books),
        random_(*random),
        left_(acts) {}

  void On(const Act&) {
    if (left_-- == 0) return;
    switch (random_.Below(8)) {
      case 0:
      case 1:
      case 2: {
        const uint64_t id = ++books_.last_id;
        books_.told[id] = clerk_.Tell(Note{id, Takes()});
        break;
      }
      case 3:
        if (clerk_.Tell(Boom{++books_.last_id}) == Delivery::kAccepted) {
          ++books_.booms;
        }
        break;
      default:
        RunInBackground([this]() -> Task<absl::Status> { return Ask(); });
    }
    TellAfter(this, absl::Milliseconds(random_.Below(4)), Act{});
  }

 private:
  absl::Duration Takes() { return absl::Milliseconds(random_.Below(5)); }

  Task<absl::Status> Ask() {
    const uint64_t id = ++books_.last_id;
    books_.asked[id] = 0;
    const absl::Duration timeout = random_.Below(3) == 0
                                       ? absl::Milliseconds(random_.Below(6))
                                       : absl::Minutes(10);
    auto asking = clerk_.Ask(Question{id, Takes()}, timeout);
    if (random_.Below(5) == 0) {
      co_await Sleep(absl::Milliseconds(random_.Below(4)));
      asking.GiveUp(absl::CancelledError("given up"));
    }
    const absl::StatusOr<std::string> reply = co_await asking;
    books_.Resolve(id, reply.status());
    co_return absl::OkStatus();
  }

  const Ref<ClerkProtocol> clerk_;
  Books& books_;
  SimRandom& random_;
  int left_;
};

void CheckHandlers(const Diary& diary) {
  std::map<uint64_t, int> begun, handled;
  for (const auto& [worker, id] : diary.begun) ++begun[id];
  for (const uint64_t id : diary.handled) ++handled[id];
  for (const auto& [id, times] : begun) EXPECT_EQ(times, 1) << "message " << id;
  for (const auto& [id, times] : handled) EXPECT_EQ(times, 1) << id;
}

void CheckAsks(const Books& books, const Diary& diary) {
  const std::set<uint64_t> handled(diary.handled.begin(), diary.handled.end());
  for (const auto& [id, outcomes] : books.asked) {
    EXPECT_EQ(outcomes, 1) << "outcomes of ask " << id;
    const absl::Status& outcome = books.outcomes.at(id);
    if (outcome.ok()) {
      EXPECT_TRUE(handled.contains(id)) << id;
    }
    switch (outcome.code()) {
      case absl::StatusCode::kOk:
      case absl::StatusCode::kCancelled:
      case absl::StatusCode::kDeadlineExceeded:
      case absl::StatusCode::kResourceExhausted:
      case absl::StatusCode::kUnavailable:
        break;
      default:
        ADD_FAILURE() << "ask " << id << ": " << outcome;
    }
  }
}

template <typename Policy>
void Storm(const char* name) {
  SCOPED_TRACE(name);
  uint64_t full = 0, empty = 0, asks = 0, restarts = 0, cancelled = 0;
  ForEachSeed(100, [&](uint64_t seed) {
    Diary diary;
    Books books;
    SimBus sim(Quiet(seed));
    SimRandom& random = sim.world().random();
    Desk desk = OpenDesk<Policy>(
        sim, diary,
        {.workers = static_cast<uint32_t>(random.Below(5)),
         .worker_mailbox = 1 + static_cast<uint32_t>(random.Below(3)),
         .max_asks = 2 + static_cast<uint32_t>(random.Below(8)),
         .restart_window = absl::ZeroDuration()},
        /*mailbox=*/24);
    for (int i = 0; i < 6; ++i) {
      sim.Spawn<Client>({.loop = i % sim.bus().loops()}, desk.clerk, &books,
                        &random, 40)
          .Tell(Act{});
    }
    for (int i = 0; i < 20; ++i) {
      sim.RunFor(absl::Milliseconds(random.Below(8)));
      const auto size = static_cast<uint32_t>(random.Below(6));
      desk.clerk.AskThen(
          ResizePool{size}, absl::Minutes(1), [](const absl::Status& status) {
            EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status))
                << status;
          });
    }
    sim.RunFor(absl::Minutes(1));
    ASSERT_TRUE(desk.Resize(3).ok());
    sim.RunFor(absl::Minutes(1));

    CheckHandlers(diary);
    CheckAsks(books, diary);
    const PoolInfo info = desk.Info();
    EXPECT_EQ(info.asks, 0u);
    EXPECT_EQ(info.waiting, 0u);
    EXPECT_EQ(info.workers.size(), 3u);
    for (const PoolWorkerInfo& worker : info.workers) {
      EXPECT_EQ(worker.load, 0u);
      EXPECT_TRUE(worker.running);
      restarts += worker.restarts;
    }
    EXPECT_EQ(diary.live, 3);
    EXPECT_EQ(info.refused_cause, 0u);

    // A tell that the pool took was handled, or is counted as refused. The Boom
    // of a worker is never handled.
    const std::set<uint64_t> handled(diary.handled.begin(),
                                     diary.handled.end());
    uint64_t tells = 0, not_handled = 0;
    for (const auto& [id, delivery] : books.told) {
      if (delivery != Delivery::kAccepted) {
        EXPECT_EQ(delivery, Delivery::kFull);
        EXPECT_FALSE(handled.contains(id));
        continue;
      }
      ++tells;
      not_handled += handled.contains(id) ? 0 : 1;
    }
    uint64_t asks_refused = 0;
    for (const auto& [id, outcome] : books.outcomes) {
      asks_refused +=
          absl::IsResourceExhausted(outcome) || absl::IsUnavailable(outcome)
              ? 1
              : 0;
    }
    EXPECT_LE(not_handled, info.refused_full + info.refused_empty);
    EXPECT_GT(tells, 0u);
    const Ledger ledger = sim.ledger();
    EXPECT_TRUE(ledger.Balances()) << ledger.ToString();
    EXPECT_EQ(ledger.dead_lettered, 0u) << ledger.ToString();
    full += info.refused_full;
    empty += info.refused_empty;
    asks += info.refused_asks;
    cancelled += diary.cancelled.size();

    if (seed % 2 == 0) {  // and it is stopped in the midst of work
      for (uint64_t id = 1; id <= 30; ++id) {
        desk.clerk.Tell(Note{books.last_id + id, absl::Seconds(1)});
      }
      sim.RunFor(absl::Milliseconds(random.Below(3000)));
      desk.clerk.Stop(/*drain=*/random.Below(2) == 0);
      sim.RunFor(absl::Minutes(1));
      EXPECT_EQ(diary.live, 0);
    }
  });
  // It was a storm.
  EXPECT_GT(restarts, 0u);
  EXPECT_GT(asks, 0u);
  EXPECT_GT(cancelled, 0u);
  EXPECT_GT(empty, 0u);
  if (!std::is_same_v<Policy, WorkPulling>) {
    EXPECT_GT(full, 0u);
  }
}

TEST(PoolStormTest, P22_TheBooksAgreeWhateverHappens) {
  Storm<RoundRobin>("RoundRobin");
  Storm<LeastLoaded>("LeastLoaded");
  Storm<ByKey>("ConsistentHash");
  Storm<WorkPulling>("WorkPulling");
}

}  // namespace
}  // namespace trolley
