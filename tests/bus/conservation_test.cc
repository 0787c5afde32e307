// SPDX-License-Identifier: Apache-2.0
//
// P2, conservation: each message is counted once, in the column of what
// happened to it, and no message is handled twice.
//
// Actors and plain threads send to random actors. These tell, ask and send on,
// throw, return errors, stop early and spawn others. Their mailboxes are small,
// so that they are full most of the time. The test counts for itself
// (ledger_checker.h) and compares its counts with those of the bus at the end.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/sim/sim_random.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/interleaved.h"
#include "trolley/tests/bus/ledger_checker.h"
#include "trolley/tests/bus/run_options.h"
#include "trolley/tests/lib/process.h"

namespace trolley::internal {
namespace {

struct Note {  // a plain handler
  Tracked tracked;
  int hops;
};
struct Job {  // a coroutine handler
  Tracked tracked;
  int hops;
};
struct Question {  // a coroutine handler with a reply
  Tracked tracked;
  int hops;
};

class Node;

// The actors there are, and the books.
class Town {
 public:
  explicit Town(LedgerChecker& checker) : checker(checker) {}

  void Add(Ref<Node> node) {
    absl::MutexLock lock(&mutex_);
    nodes_.push_back(std::move(node));
  }
  Ref<Node> Any(SimRandom& random) {
    absl::MutexLock lock(&mutex_);
    return nodes_[random.Below(nodes_.size())];
  }

  LedgerChecker& checker;

 private:
  absl::Mutex mutex_;
  std::vector<Ref<Node>> nodes_ ABSL_GUARDED_BY(mutex_);
};

SpawnOptions AnyOptions(SimRandom& random, int loops) {
  constexpr uint32_t kCapacities[] = {1, 2, 3, 16, 200};
  return {.loop = static_cast<int>(random.Below(loops)),
          .mailbox_capacity = kCapacities[random.Below(5)]};
}

// A Send. If its coroutine is cancelled while it waits for room, it was
// refused.
class Waiting {
 public:
  explicit Waiting(LedgerChecker& checker) : checker_(checker) {}
  ~Waiting() {
    if (!over_) checker_.Sent(absl::CancelledError(""));
  }
  void Over(const absl::Status& status) {
    over_ = true;
    checker_.Sent(status);
  }

 private:
  LedgerChecker& checker_;
  bool over_ = false;
};

class Node : public Actor {
 public:
  Node(Town* town, uint64_t seed) : town_(*town), random_(seed) {}

  void On(const Note& m) {
    m.tracked.Begin();
    TellOn(m.hops);
    if (random_.Chance(20)) Fail(m.tracked);
    m.tracked.Finish();
  }

  Task<absl::Status> On(Job m) {
    m.tracked.Begin();
    TellOn(m.hops);
    if (random_.Chance(10)) Fail(m.tracked);
    if (random_.Chance(300)) co_await Sleep(absl::Microseconds(1));
    if (m.hops > 0 && random_.Chance(500)) {
      Waiting waiting(town_.checker);
      const Ref<Node> to = town_.Any(random_);
      waiting.Over(
          co_await to.Send<Job>(town_.checker.NewMessage(), m.hops - 1));
    }
    if (random_.Chance(10)) Fail(m.tracked);
    if (random_.Chance(100)) {
      m.tracked.Fail();
      co_return absl::UnknownError("as the test wants it");
    }
    m.tracked.Finish();
    co_return absl::OkStatus();
  }

  Task<absl::StatusOr<int>> On(Question m) {
    m.tracked.Begin();
    TellOn(m.hops);
    if (random_.Chance(10)) Fail(m.tracked);
    if (m.hops > 0) {
      town_.checker.Asked();
      const Ref<Node> to = town_.Any(random_);
      const auto reply = co_await to.Ask<Question>(
          random_.Chance(100) ? absl::ZeroDuration() : absl::Seconds(100),
          town_.checker.NewMessage(), m.hops - 1);
      if (reply.status().code() == absl::StatusCode::kFailedPrecondition) {
        town_.checker.NotAsked();  // a cycle
      }
    }
    if (random_.Chance(10)) Fail(m.tracked);
    m.tracked.Finish();
    co_return m.hops;
  }

  void OnStop() override {
    if (random_.Chance(200)) TellOn(1);
  }

 private:
  template <typename N>
  void SpawnAnother(const SpawnOptions& options, uint64_t seed) {
    const auto child = Spawn<N>(options, &town_, seed);
    if (child.ok()) town_.Add(Ref<Node>(child->address()));
  }

  void TellOn(int hops) {
    if (random_.Chance(5)) Stop();
    if (random_.Chance(20)) {
      const SpawnOptions options = AnyOptions(random_, context().loops());
      const uint64_t seed = random_.Next();
      if (random_.Chance(300)) {
        SpawnAnother<Interleaved<Node>>(options, seed);
      } else {
        SpawnAnother<Node>(options, seed);
      }
    }
    if (hops <= 0) return;
    LedgerChecker& checker = town_.checker;
    for (uint64_t i = random_.Below(3); i > 0; --i) {
      const Ref<Node> to = town_.Any(random_);
      // Some are late before they arrive.
      const TellOptions options = {.deadline = random_.Chance(50)
                                                   ? context().Now()
                                                   : Instant::Infinite()};
      if (random_.Chance(500)) {
        checker.Sent(
            to.TellWith(options, Note{checker.NewMessage(), hops - 1}));
      } else {
        checker.Sent(to.TellWith(options, Job{checker.NewMessage(), hops - 1}));
      }
    }
  }

  void Fail(const Tracked& tracked) {
    tracked.Fail();
    throw std::runtime_error("as the test wants it");
  }

  Town& town_;
  SimRandom random_;
};

using ConservationTest = BusFixture;
TROLLEY_FOR_EACH_BUS(ConservationTest);

// What a plain thread does.
// If the bus still spawns, adds a node, interleaved or not.
void SpawnAny(Bus& bus, Town& town, SimRandom& random, int loops) {
  const SpawnOptions options = AnyOptions(random, loops);
  const uint64_t seed = random.Next();
  if (random.Chance(300)) {
    const auto node = bus.Spawn<Interleaved<Node>>(options, &town, seed);
    if (node.ok()) town.Add(Ref<Node>(node->address()));
  } else {
    const auto node = bus.Spawn<Node>(options, &town, seed);
    if (node.ok()) town.Add(*node);
  }
}

void Send(Bus& bus, Town& town, uint64_t seed, int sends, bool may_block) {
  SimRandom random(seed);
  LedgerChecker& checker = town.checker;
  for (int i = 0; i < sends; ++i) {
    if (random.Chance(10)) {
      SpawnAny(bus, town, random, StateOf(bus)->loops());
    }
    const Ref<Node> to = town.Any(random);
    if (random.Chance(5)) to.Stop(/*drain=*/random.Chance(500));
    const int hops = random.Below(6);
    switch (random.Below(may_block ? 3 : 2)) {
      case 0:
        checker.Sent(to.Tell(Note{checker.NewMessage(), hops}));
        break;
      case 1:
        checker.Sent(to.Tell(Job{checker.NewMessage(), hops}));
        break;
      default:
        checker.Asked();
        to.AskAndWait(Question{checker.NewMessage(), hops},
                      absl::Milliseconds(random.Below(20)))
            .IgnoreError();
    }
  }
}

TEST_P(ConservationTest, P2_BooksBalanceWhateverHappens) {
  const int sends = GetRunOptions().Scale(300, 3000);
  const int threads_before = CountThreads();
  ForEachSeed(GetRunOptions().Scale(12, 250), [&](uint64_t seed) {
    LedgerChecker checker(2'000'000);
    Town town(checker);
    SimRandom random(seed);
    Bus& bus = Start();
    for (int i = 0; i < 8; ++i) {
      SpawnAny(bus, town, random, loops());
    }
    if (simulated()) {
      for (int i = 0; i < 30; ++i) {
        Send(bus, town, random.Next(), sends / 10, /*may_block=*/false);
        if (random.Chance(800)) bus.RunUntilIdle();
        world().StepTime(world().clock().Now() + absl::Microseconds(1));
      }
    } else {
      std::vector<std::thread> threads;
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&, seed = random.Next()] {
          Send(bus, town, seed, sends, /*may_block=*/true);
        });
      }
      for (std::thread& thread : threads) thread.join();
    }
    bus.Shutdown(!simulated()         ? absl::Milliseconds(400)
                 : random.Chance(300) ? absl::ZeroDuration()
                                      : absl::Milliseconds(100));
    // A loop that is only slow goes on by itself when there was no time.
    AwaitThreads(threads_before);
    EXPECT_EQ(checker.Compare(bus.ReadLedger()), "");
    EXPECT_GT(checker.handled(), 0u);
  });
}

class SimConservationTest : public BusFixture {};
INSTANTIATE_TEST_SUITE_P(Forms, SimConservationTest,
                         testing::Values(BusForm{"sim", 1}, BusForm{"sim", 2}),
                         BusFormName);

// A loop whose poller breaks ends like this.
TEST_P(SimConservationTest, P2_WhatALoopHadNotTakenWhenItEndedIsCounted) {
  LedgerChecker checker;
  Town town(checker);
  Bus& bus = Start();
  const Ref<Node> node = *bus.Spawn<Node>({.loop = 0}, &town, uint64_t{1});
  bus.RunUntilIdle();
  for (int i = 0; i < 5; ++i) {
    checker.Sent(node.Tell(Note{checker.NewMessage(), /*hops=*/0}));
  }
  LoopOf(bus, 0).End();
  EXPECT_EQ(checker.Sent(node.Tell(Note{checker.NewMessage(), /*hops=*/0})),
            Delivery::kGone);
  const Ledger ledger = bus.Shutdown(absl::ZeroDuration()).ledger;
  EXPECT_EQ(ledger.dead_lettered, 5u);
  EXPECT_EQ(checker.Compare(ledger), "");
}

}  // namespace
}  // namespace trolley::internal
