// SPDX-License-Identifier: Apache-2.0
//
// A message whose deadline has passed, or whose asker has ended, holds nothing:
// no credit, no bytes, no coroutine frames of its handler. Each message here
// has a token, which is destroyed when all of that is free.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/bus/loop/send_control.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"

namespace trolley::internal {
namespace {

using ::testing::HasSubstr;

// Tells when the last of several has gone.
class Tokens {
 public:
  explicit Tokens(int count) : left_(count) {}
  std::shared_ptr<void> Make() {
    return std::shared_ptr<void>(nullptr, [this](void*) {
      if (left_.fetch_sub(1) == 1) gone_.Notify();
    });
  }
  const absl::Notification& gone() const { return gone_; }

 private:
  std::atomic<int> left_;
  absl::Notification gone_;
};

struct Wait {  // until Release
  std::shared_ptr<void> token;
  std::atomic<bool>* begun = nullptr;
};
struct Release {};
struct Count {};

// Its handlers of Wait wait for Release, however long that takes.
class Waiter : public Actor {
 public:
  Task<int64_t> On(const Wait& m) {
    const std::shared_ptr<void> held = m.token;
    if (m.begun != nullptr) *m.begun = true;
    const uint32_t home = context().loop_index();
    absl::Cleanup here = [this, home] {
      EXPECT_EQ(context().loop_index(), home);
      ++over_;
    };
    co_await released_.Wait();
    co_return 1;
  }
  void On(const Release&) { released_.Notify(); }
  int64_t On(const Count&) { return over_; }

 private:
  AsyncCondition released_;
  int64_t over_ = 0;
};
class Interleaved : public Waiter {
 public:
  static constexpr bool kInterleaved = true;
};
// May go on after the deadline of its message.
class Unhurried : public Interleaved {
 public:
  static constexpr absl::Duration kOvertime = absl::InfiniteDuration();
};

// Asks others, as often and as long as it is told.
class Asker : public Actor {
 public:
  struct AskAll {
    Ref<Protocol<int64_t(Wait)>> whom;
    int times = 1;
    absl::Duration timeout;
    Tokens* tokens = nullptr;
    // Called with each result.
    std::function<void(const absl::StatusOr<int64_t>&)> done;
    std::atomic<bool>* begun = nullptr;
  };
  void On(const AskAll& m) {
    for (int i = 0; i < m.times; ++i) RunInBackground(AskOnce(m));
  }
  // An ask made for another's ask: what comes of it is passed on.
  Task<absl::StatusOr<int64_t>> On(const Wait& m) {
    Wait further{m.token};
    auto asking = whom_.Ask(std::move(further), absl::Hours(1));
    co_return co_await asking;
  }
  Asker() = default;
  explicit Asker(Ref<Waiter> whom) : whom_(std::move(whom)) {}

 private:
  Task<absl::Status> AskOnce(AskAll m) {
    Wait wait{m.tokens->Make(), m.begun};
    auto asking = m.whom.Ask(std::move(wait), m.timeout);
    absl::StatusOr<int64_t> result = co_await asking;
    if (m.done) m.done(result);
    co_return absl::OkStatus();
  }
  Ref<Waiter> whom_;
};

class ExpiryTest : public BusFixture {
 protected:
  static constexpr uint32_t kCapacity = 8;
  static constexpr uint32_t kNone = ~0u;  // it has ended

  template <typename A>
  Ref<A> SpawnWaiter(int loop = 2) {
    auto spawned = bus().Spawn<A>({.name = "waiter",
                                   .loop = LoopAt(loop),
                                   .mailbox_capacity = kCapacity});
    EXPECT_TRUE(spawned.ok()) << spawned.status();
    return *spawned;
  }
  Ref<Asker> SpawnAsker() { return *bus().Spawn<Asker>({.loop = 0}); }

  // Of the actor named "waiter".
  uint32_t Depth() {
    for (const ActorInfo& actor : Look().actors) {
      if (actor.name == "waiter") return actor.depth;
    }
    return kNone;
  }
  // Looks until `depth` messages hold a credit. A look is a round through every
  // loop; in a simulated world it is also what makes them go on.
  void AwaitDepth(uint32_t depth) {
    AskUntil([&] { return Depth(); },
             [&](uint32_t now) { return now == depth; });
  }
  // Asks `times` and waits until every ask has come to its end.
  void AskAll(const Ref<Asker>& asker, Ref<Protocol<int64_t(Wait)>> whom,
              int times, absl::Duration timeout, Tokens& tokens,
              absl::StatusCode expected, std::atomic<bool>* begun = nullptr) {
    std::atomic<int> left{times};
    absl::Notification all;
    asker.Tell(Asker::AskAll{.whom = whom,
                             .times = times,
                             .timeout = timeout,
                             .tokens = &tokens,
                             .done =
                                 [&](const absl::StatusOr<int64_t>& result) {
                                   EXPECT_EQ(result.status().code(), expected)
                                       << result.status();
                                   if (left.fetch_sub(1) == 1) all.Notify();
                                 },
                             .begun = begun});
    Await(all);
  }
};
TROLLEY_FOR_EACH_BUS(ExpiryTest);

TEST_P(ExpiryTest, P6_AsksThatTimedOutHoldNoCredit) {
  Start();
  Tokens tokens(kCapacity);
  auto waiter = SpawnWaiter<Waiter>();
  AskAll(SpawnAsker(), waiter, kCapacity, absl::Milliseconds(60), tokens,
         absl::StatusCode::kDeadlineExceeded);
  Await(tokens.gone());
  EXPECT_EQ(Depth(), 0u);
  for (uint32_t i = 0; i < kCapacity; ++i) {
    EXPECT_EQ(waiter.Tell(Release{}), Delivery::kAccepted);
  }
  const Ledger ledger = bus().Shutdown(absl::Seconds(60)).ledger;
  EXPECT_TRUE(ledger.Balances()) << ledger.ToString();
  EXPECT_EQ(ledger.expired, kCapacity);
}

TEST_P(ExpiryTest, P6_WhatExpiresBehindAHandlerThatWaitsHoldsNoCredit) {
  Start();
  Tokens job(1), tokens(kCapacity - 1);
  auto waiter = SpawnWaiter<Waiter>();
  waiter.Tell(Wait{job.Make()});  // has no deadline
  AskAll(SpawnAsker(), waiter, kCapacity - 1, absl::Milliseconds(60), tokens,
         absl::StatusCode::kDeadlineExceeded);
  Await(tokens.gone());
  EXPECT_EQ(Depth(), 1u) << "the handler holds the place of its message";
  EXPECT_FALSE(job.gone().HasBeenNotified());
  bus().Shutdown(absl::ZeroDuration());
  EXPECT_TRUE(job.gone().HasBeenNotified());
}

TEST_P(ExpiryTest, P6_AsksThatWaitLeaveHalfOfAMailboxToOthers) {
  Start();
  Tokens waiting(kCapacity / 2), refused(kCapacity);
  auto waiter = SpawnWaiter<Interleaved>();
  auto asker = SpawnAsker();
  asker.Tell(Asker::AskAll{.whom = waiter,
                           .times = kCapacity / 2,
                           .timeout = absl::Hours(1),
                           .tokens = &waiting,
                           .done = nullptr});
  AwaitDepth(kCapacity / 2);
  for (uint32_t i = 0; i < kCapacity; ++i) {
    AskAll(asker, waiter, 1, absl::Hours(1), refused,
           absl::StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(Depth(), kCapacity / 2);
  EXPECT_EQ(waiter.Tell(Release{}), Delivery::kAccepted);
  Await(waiting.gone());
  const Ledger ledger = bus().Shutdown(absl::Seconds(60)).ledger;
  EXPECT_TRUE(ledger.Balances()) << ledger.ToString();
  EXPECT_EQ(ledger.dead_lettered, kCapacity);
}

TEST_P(ExpiryTest, P6_AskersThatGoLetGoOfWhatTheyAsked) {
  Start();
  Tokens tokens(kCapacity);
  auto waiter = SpawnWaiter<Waiter>();
  auto asker = SpawnAsker();
  asker.Tell(Asker::AskAll{.whom = waiter,
                           .times = kCapacity,
                           .timeout = absl::InfiniteDuration(),
                           .tokens = &tokens,
                           .done = nullptr});
  AwaitDepth(kCapacity);
  asker.Stop();
  Await(tokens.gone());
  EXPECT_EQ(Depth(), 0u);
  const Ledger ledger = bus().Shutdown(absl::Seconds(60)).ledger;
  EXPECT_TRUE(ledger.Balances()) << ledger.ToString();
}

TEST_P(ExpiryTest, P6_LettingGoPassesThroughAChainOfAsks) {
  Start();
  Tokens tokens(1);
  auto waiter = SpawnWaiter<Waiter>();
  auto middle = *bus().Spawn<Asker>({.loop = LoopAt(1)}, waiter);
  auto asker = SpawnAsker();
  asker.Tell(Asker::AskAll{.whom = middle,
                           .timeout = absl::Hours(1),
                           .tokens = &tokens,
                           .done = nullptr});
  AwaitDepth(1);
  asker.Stop();
  Await(tokens.gone());
}

TEST_P(ExpiryTest, AClassMayLetItsHandlersGoOnAfterTheDeadline) {
  Start();
  auto waiter = SpawnWaiter<Unhurried>();
  auto asker = SpawnAsker();
  // A slow machine may let the deadline pass before the handler begins.
  std::vector<std::unique_ptr<Tokens>> tries;
  for (std::atomic<bool> begun{false}; !begun;) {
    tries.push_back(std::make_unique<Tokens>(1));
    AskAll(asker, waiter, 1, absl::Milliseconds(60), *tries.back(),
           absl::StatusCode::kDeadlineExceeded, &begun);
  }
  Tokens& tokens = *tries.back();
  // Others of other classes are cancelled meanwhile, on the same loop.
  Tokens others(1);
  auto other = *bus().Spawn<Waiter>({.loop = LoopAt(2)});
  AskAll(asker, other, 1, absl::Milliseconds(1), others,
         absl::StatusCode::kDeadlineExceeded);
  Await(others.gone());
  EXPECT_FALSE(tokens.gone().HasBeenNotified());
  EXPECT_EQ(Depth(), 1u);
  waiter.Tell(Release{});
  Await(tokens.gone());
}

TEST_P(ExpiryTest, AnActorThatDrainsEndsWithItsLastCancelledHandler) {
  Start();
  Tokens tokens(1);
  auto waiter = SpawnWaiter<Waiter>();
  auto asker = SpawnAsker();
  asker.Tell(Asker::AskAll{.whom = waiter,
                           .timeout = absl::Hours(1),
                           .tokens = &tokens,
                           .done = nullptr});
  AwaitDepth(1);
  waiter.Stop(/*drain=*/true);
  Look();
  EXPECT_FALSE(tokens.gone().HasBeenNotified());
  asker.Stop();
  Await(tokens.gone());
  AwaitDepth(kNone);
}

// The loop compares asks with the address of an asker that has gone.
class Outsider : public ExternalAsk {
 public:
  explicit Outsider(bool* lives) : lives_(*lives) { lives_ = true; }
  ~Outsider() override { lives_ = false; }
  void OnReply(Envelope*) override {}

 private:
  bool& lives_;
};

TEST_P(ExpiryTest, P6_NoAskExpiresInThePlaceOfAnother) {
  if (!simulated()) GTEST_SKIP() << "the time of the look must be known";
  Start();
  auto waiter = SpawnWaiter<Waiter>(/*loop=*/0);
  const auto go = [&](bool* lives) {
    auto asker = RefPtr<ExternalAsk>::Adopt(new Outsider(lives));
    const AskKey key = AskKey::Of(asker.get());
    EXPECT_TRUE(
        SendControl(*StateOf(bus()), waiter.id(),
                    AskCancelled{.key = key, .external = std::move(asker)}));
    bus().RunUntilIdle();
  };
  bool first = false, second = false;
  go(&first);
  EXPECT_FALSE(first) << "the first look is at once";
  go(&second);
  EXPECT_TRUE(second) << "its address may be that of another ask";
  Settle();
  EXPECT_FALSE(second);
}

TEST_P(ExpiryTest, P6_ActorsThatHaveEndedAreNotWatched) {
  if (!simulated()) GTEST_SKIP() << "it looks at the insides of a loop";
  Start();
  const Expiry& expiry = LoopOf(bus(), 0).expiry();
  for (int i = 0; i < 3000; ++i) {
    auto waiter = *bus().Spawn<Waiter>({.loop = 0});
    waiter.TellWith({.deadline = bus().Now() + absl::Hours(1)}, Wait{});
    bus().RunUntilIdle();
    waiter.Stop();
    bus().RunUntilIdle();
    ASSERT_LE(expiry.watched(), 1100u);
  }
  // So they were watched.
  EXPECT_GE(expiry.watched(), 1000u);
}

TEST_P(ExpiryTest, P7_ALookForWhatHasExpiredTakesAStepATurn) {
  if (!simulated() || loops() > 1) GTEST_SKIP() << "the test counts turns";
  constexpr int kStep = 10;
  constexpr int kActors = 10 * kStep + 1;
  Start(
      [](BusOptions& options) { options.loops[0].messages_per_turn = kStep; });
  int left = 0;
  for (int i = 0; i < kActors; ++i) {
    ++left;
    const std::shared_ptr<void> token(nullptr, [&](void*) { --left; });
    bus().Spawn<Waiter>({})->TellWith(
        {.deadline = bus().Now() + absl::Seconds(1)}, Wait{token});
  }
  bus().RunUntilIdle();
  world().StepTime(bus().Now() + absl::Seconds(1));
  while (left > 0) {
    const int before = left;
    LoopOf(bus(), 0).RunOnce();
    ASSERT_LT(left, before);
    ASSERT_GE(left, before - kStep);
  }
  EXPECT_EQ(bus().ReadLedger().expired, uint64_t{kActors});
}

struct Dive {
  std::shared_ptr<void> token;
};
class Diver : public Actor {
 public:
  Task<> On(Dive) { co_await Down(100'000); }

 private:
  Task<> Down(int left) {
    if (left == 0) {
      co_await Sleep(absl::Hours(24));
    } else {
      co_await Down(left - 1);
    }
  }
};

// If one frame were destroyed within the other, this would need more stack than
// there is.
TEST_P(ExpiryTest, ALongChainOfTasksIsCancelledByItsDeadline) {
  Start();
  Tokens tokens(1);
  auto diver = *bus().Spawn<Diver>({.loop = LoopAt(1)});
  diver.TellWith({.deadline = bus().Now() + absl::Milliseconds(60)},
                 Dive{tokens.Make()});
  Await(tokens.gone());
  const Ledger ledger = bus().Shutdown(absl::Seconds(60)).ledger;
  EXPECT_EQ(ledger.expired, 1u);
}

struct Farewell {};
class Mourner : public Actor {
 public:
  Mourner(Address* from, absl::Notification* heard)
      : from_(*from), heard_(*heard) {}
  void On(const Farewell&) {
    if (heard_.HasBeenNotified()) return;
    from_ = sender();
    heard_.Notify();
  }

 private:
  Address& from_;
  absl::Notification& heard_;
};

// Its handler tells the other one something when its frame is destroyed.
class Leaver : public Actor {
 public:
  explicit Leaver(Ref<Mourner> to) : to_(std::move(to)) {}
  Task<> On(Wait) {
    absl::Cleanup farewell = [this] { to_.Tell(Farewell{}); };
    co_await Sleep(absl::Hours(24));
  }

 private:
  const Ref<Mourner> to_;
};

TEST_P(ExpiryTest, WhatACancelledHandlerSendsIsFromItsActor) {
  for (const bool by_deadline : {true, false}) {
    Start();
    Address from;
    absl::Notification heard;
    auto mourner = *bus().Spawn<Mourner>({.loop = 0}, &from, &heard);
    auto leaver = *bus().Spawn<Leaver>({.loop = LoopAt(1)}, mourner);
    // A slow machine may let the first deadlines pass before a handler begins.
    for (absl::Duration time = absl::Milliseconds(20); by_deadline;
         time = 2 * time) {
      Tokens tokens(1);
      leaver.TellWith({.deadline = bus().Now() + time}, Wait{tokens.Make()});
      Await(tokens.gone());
      Look();
      if (heard.HasBeenNotified()) break;
    }
    if (!by_deadline) {
      leaver.Tell(Wait{});
      AskUntil(
          [&] { return Look().loops[leaver.id().loop()].suspended_messages; },
          [](uint32_t suspended) { return suspended > 0; });
      leaver.Stop();
      Await(heard);
    }
    EXPECT_EQ(from, leaver.address());
    bus().Shutdown(absl::ZeroDuration());
  }
}

// Tells another actor something with a deadline as it ends.
class Testator : public Actor {
 public:
  explicit Testator(Ref<Waiter>* heir) : heir_(*heir) {}
  void On(const Count&) {}
  void OnStop() override {
    EXPECT_EQ(heir_.TellWith({.deadline = context().Now() + absl::Hours(1)},
                             Release{}),
              Delivery::kAccepted);
  }

 private:
  Ref<Waiter>& heir_;
};

TEST_P(ExpiryTest, ALoopThatHasEndedHasNoTimer) {
  if (!simulated()) GTEST_SKIP() << "the order of the ends must be known";
  Start();
  Ref<Waiter> heir;
  ASSERT_TRUE(bus().Spawn<Testator>({.loop = 0}, &heir).ok());
  heir = SpawnWaiter<Waiter>(/*loop=*/0);
  heir.Tell(Wait{});
  bus().RunUntilIdle();
  LoopOf(bus(), 0).End();
  EXPECT_TRUE(LoopOf(bus(), 0).timers().empty());
}

}  // namespace
}  // namespace trolley::internal
