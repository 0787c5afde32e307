// SPDX-License-Identifier: Apache-2.0
//
// A BlockingPool with threads. Each function waits for what the test, or the
// bus, does; no test waits for a length of time.

#include "trolley/actors/behaviour/blocking.h"

#include <dlfcn.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/synchronization/barrier.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/bus/run_options.h"
#include "trolley/tests/lib/process.h"

namespace {

// How many threads may still be made; below 0: any number.
std::atomic<int> threads_allowed{-1};

}  // namespace

// Stands before the C library's, also for what std::thread calls.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* how,
                              void* (*run)(void*), void* with) {
  using Create =
      int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto next =
      reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
  if (threads_allowed >= 0 && threads_allowed.fetch_sub(1) <= 0) {
    threads_allowed = 0;
    return EAGAIN;
  }
  return next(thread, how, run, with);
}

namespace trolley {
namespace {

using Event = absl::Notification;

// Counts the objects that functions have captured.
class Counted {
 public:
  explicit Counted(std::atomic<int>* alive) : alive_(alive) { ++*alive_; }
  Counted(const Counted& other) : alive_(other.alive_) { ++*alive_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*alive_; }

 private:
  std::atomic<int>* const alive_;
};

struct Call {
  std::function<int()> function;
  absl::Duration timeout = absl::InfiniteDuration();
};
struct Ping {};

class User : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit User(Blocking blocking, Event* drains = nullptr)
      : blocking_(std::move(blocking)), drains_(drains) {}

  void OnDrain() override {
    if (drains_ != nullptr) drains_->Notify();
  }
  Task<absl::StatusOr<int>> On(Call m) {
    auto run = blocking_.Run(m.function, m.timeout);
    m.function = nullptr;
    co_return co_await run;
  }
  int On(const Ping&) { return 1; }

 private:
  const Blocking blocking_;
  Event* const drains_;
};

// The reply to a Call, and when it came.
struct Reply {
  Event came;
  std::optional<absl::StatusOr<int>> value;

  const absl::StatusOr<int>& Wait() {
    came.WaitForNotification();
    return *value;
  }
};

void Ask(const Ref<User>& user, Call call, Reply* reply) {
  user.AskThen(std::move(call), absl::InfiniteDuration(),
               [reply](absl::StatusOr<int> value) {
                 reply->value = std::move(value);
                 reply->came.Notify();
               });
}

Bus NewBus(int loops = 2) {
  return Bus::CreateOrDie({.loops = std::vector<LoopOptions>(loops)});
}

void AwaitEnd(const Address& actor) {
  Event ended;
  actor.WhenEnded([&](const ActorEnd&) { ended.Notify(); });
  ended.WaitForNotification();
}

TEST(BlockingTest, TheLoopGoesOnWhileAFunctionBlocks) {
  Bus bus = NewBus(1);
  auto pool = *BlockingPool::Create(bus, {.threads = 1});
  const auto user = *bus.Spawn<User>({}, pool->blocking());
  Event begun, go_on;
  Reply reply;
  Ask(user, {[&] {
        begun.Notify();
        go_on.WaitForNotification();
        return 7;
      }},
      &reply);
  begun.WaitForNotification();
  EXPECT_EQ(*user.AskAndWait(Ping{}, absl::InfiniteDuration()), 1);
  EXPECT_FALSE(reply.came.HasBeenNotified());
  go_on.Notify();
  EXPECT_EQ(*reply.Wait(), 7);
}

TEST(BlockingTest, AsManyFunctionsRunTogetherAsThereAreThreads) {
  constexpr int kThreads = 3;
  Bus bus = NewBus();
  auto pool = *BlockingPool::Create(bus, {.threads = kThreads});
  const auto user = *bus.Spawn<User>({}, pool->blocking());
  absl::Barrier all_run(kThreads);  // each waits for the others
  std::array<Reply, kThreads> replies;
  for (Reply& reply : replies) {
    Ask(user, {[&all_run] { return all_run.Block() ? 1 : 2; }}, &reply);
  }
  for (Reply& reply : replies) EXPECT_TRUE(reply.Wait().ok());
}

TEST(BlockingTest, TheQueueIsBoundedAndSaysSo) {
  Bus bus = NewBus();
  auto pool = *BlockingPool::Create(bus, {.threads = 1, .max_waiting = 2});
  const auto user = *bus.Spawn<User>({}, pool->blocking());
  Event go_on;
  std::array<Reply, 6> replies;
  for (Reply& reply : replies) {
    Ask(user, {[&] {
          go_on.WaitForNotification();
          return 1;
        }},
        &reply);
  }
  for (int i = 3; i < 6; ++i) {
    const absl::Status refused = replies[i].Wait().status();
    EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), "max_waiting is 2"))
        << refused;
  }
  go_on.Notify();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*replies[i].Wait(), 1);
  Reply late;
  Ask(user, {[] { return 2; }}, &late);
  EXPECT_EQ(*late.Wait(), 2);
}

// The largest queue: the pool refuses, and not the mailbox of its actor.
TEST(BlockingTest, TheLargestQueueIsFilled) {
  Bus bus = NewBus(1);
  constexpr int kMost = BlockingPoolOptions::kMostWaiting + 1;
  auto pool = *BlockingPool::Create(
      bus, {.threads = 1, .max_waiting = BlockingPoolOptions::kMostWaiting});
  Event go_on;
  std::atomic<int> refused{0}, done{0}, ran{0};
  Event all;
  class Flood : public Actor {
   public:
    Flood(Blocking blocking, std::function<void()> run,
          std::function<void(absl::Status)> told)
        : blocking_(std::move(blocking)),
          run_(std::move(run)),
          told_(std::move(told)) {}
    void OnStart() override {
      for (int i = 0; i < kMost + 10; ++i) {
        RunInBackground([this]() -> Task<absl::Status> {
          auto run = blocking_.Run(run_);
          told_(co_await run);
          co_return absl::OkStatus();
        });
      }
    }

   private:
    const Blocking blocking_;
    const std::function<void()> run_;
    const std::function<void(absl::Status)> told_;
  };
  ASSERT_TRUE(
      bus.Spawn<Flood>(
             {}, pool->blocking(),
             [&] {
               go_on.WaitForNotification();
               ++ran;
             },
             [&](absl::Status status) {
               if (absl::IsResourceExhausted(status)) {
                 EXPECT_TRUE(absl::StrContains(status.message(), "max_waiting"))
                     << status;
                 // The first refusal: the queue is full.
                 if (refused++ == 0) go_on.Notify();
               } else {
                 EXPECT_TRUE(status.ok()) << status;
               }
               if (++done == kMost + 10) all.Notify();
             })
          .ok());
  all.WaitForNotification();
  EXPECT_EQ(ran + refused, kMost + 10);
  EXPECT_GE(ran, kMost);
  EXPECT_GE(refused, 1);
}

class HeldPool : public ::testing::Test {
 protected:
  // Its one thread waits until go_on_.
  HeldPool() {
    Ask(holder_, {[this] {
          begun_.Notify();
          go_on_.WaitForNotification();
          return 1;
        }},
        &held_);
    begun_.WaitForNotification();
  }
  ~HeldPool() override {
    if (!go_on_.HasBeenNotified()) go_on_.Notify();
  }

  // Until the pool has so many functions; they are messages of its actor.
  void AwaitFunctions(uint32_t count) {
    AskUntil([&] { return *bus_.Inspect(absl::InfiniteDuration()); },
             [&](const BusInfo& info) {
               for (const ActorInfo& actor : info.actors) {
                 if (actor.name == "pool") return actor.depth == count;
               }
               return false;
             });
  }

  Event begun_, go_on_;
  Reply held_;
  Bus bus_ = NewBus();
  std::unique_ptr<BlockingPool> pool_ =
      *BlockingPool::Create(bus_, {.threads = 1, .name = "pool"});
  Ref<User> holder_ = *bus_.Spawn<User>({}, pool_->blocking());
  std::atomic<int> alive_{0};
};

TEST_F(HeldPool, AFunctionThatWaitsDoesNotRunOnceItsActorHasEnded) {
  const auto user = *bus_.Spawn<User>({.loop = 1}, pool_->blocking());
  std::atomic<bool> ran{false};
  Reply reply, after;
  Ask(user, {[&ran, counted = Counted(&alive_)] {
        ran = true;
        return 1;
      }},
      &reply);
  AwaitFunctions(2);
  user.Stop();
  EXPECT_TRUE(absl::IsNotFound(reply.Wait().status()));
  AwaitFunctions(1);
  Ask(holder_, {[] { return 2; }}, &after);
  go_on_.Notify();
  EXPECT_EQ(*after.Wait(), 2);  // the only thread has come past it
  EXPECT_FALSE(ran);
  EXPECT_EQ(alive_, 0);
}

TEST_F(HeldPool, AFunctionThatRunsGoesOnWithoutItsActor) {
  holder_.Stop();
  EXPECT_TRUE(absl::IsNotFound(held_.Wait().status()));
  AwaitEnd(holder_.address());
  const auto user = *bus_.Spawn<User>({}, pool_->blocking());
  Reply after;
  Ask(user, {[] { return 2; }}, &after);
  go_on_.Notify();
  EXPECT_EQ(*after.Wait(), 2);
}

TEST_F(HeldPool, TheDeadlineEndsAFunctionThatWaits) {
  std::atomic<bool> ran{false};
  Reply late, after;
  Ask(holder_,
      {[&ran, counted = Counted(&alive_)] {
         ran = true;
         return 1;
       },
       absl::ZeroDuration()},
      &late);
  EXPECT_TRUE(absl::IsDeadlineExceeded(late.Wait().status()))
      << late.Wait().status();
  Ask(holder_, {[] { return 2; }}, &after);
  go_on_.Notify();
  EXPECT_EQ(*after.Wait(), 2);
  EXPECT_FALSE(ran);
  EXPECT_EQ(alive_, 0);
}

// The destructor stops the pool's actor first. When that has ended, the
// function that runs may return: so the destructor has to wait for it.
TEST_F(HeldPool, TheDestructorWaitsForAFunctionThatRunsAndDropsTheOthers) {
  Event gate_gone;
  bus_.FindAddress("pool")->WhenEnded(
      [&](const ActorEnd&) { gate_gone.Notify(); });
  std::atomic<bool> ran{false}, returned{false};
  Reply runs, waits;
  Event begun;
  Ask(holder_, {[&] {
        begun.Notify();
        gate_gone.WaitForNotification();
        returned = true;
        return 1;
      }},
      &runs);
  Ask(holder_, {[&ran, counted = Counted(&alive_)] {
        ran = true;
        return 1;
      }},
      &waits);
  go_on_.Notify();
  begun.WaitForNotification();
  pool_.reset();
  EXPECT_TRUE(returned);
  EXPECT_FALSE(runs.Wait().ok());
  EXPECT_FALSE(waits.Wait().ok());
  EXPECT_FALSE(ran);
  EXPECT_EQ(alive_, 0);
  Reply after;
  Ask(holder_, {[] { return 1; }}, &after);
  EXPECT_TRUE(absl::IsNotFound(after.Wait().status())) << after.Wait().status();
}

// A shutdown waits for functions that run: this one returns after the drain has
// begun.
TEST(BlockingShutdownTest, P10_AShutdownWaitsForAFunctionThatRuns) {
  Bus bus = NewBus();
  auto pool = *BlockingPool::Create(bus, {.threads = 1});
  Event begun, drains;
  const auto user = *bus.Spawn<User>({}, pool->blocking(), &drains);
  Reply reply;
  Ask(user, {[&] {
        begun.Notify();
        drains.WaitForNotification();
        return 7;
      }},
      &reply);
  begun.WaitForNotification();
  const ShutdownReport report = bus.Shutdown(absl::InfiniteDuration());
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_EQ(*reply.Wait(), 7);
}

TEST(BlockingShutdownTest, P10_AShutdownDoesNotWaitLongerThanItsDeadline) {
  std::atomic<int> alive{0};
  Event begun, go_on;
  std::unique_ptr<Bus> bus = *Bus::Create({});
  auto pool = *BlockingPool::Create(*bus, {.threads = 1});
  Reply reply;
  {
    const auto user = *bus->Spawn<User>({}, pool->blocking());
    Ask(user, {[&, counted = Counted(&alive)] {
          begun.Notify();
          go_on.WaitForNotification();
          return 7;
        }},
        &reply);
  }
  begun.WaitForNotification();
  const ShutdownReport report = bus->Shutdown(absl::ZeroDuration());
  EXPECT_FALSE(report.clean) << report.ToString();
  EXPECT_TRUE(report.survivors.empty()) << report.ToString();
  EXPECT_FALSE(reply.Wait().ok());
  // The bus may go before the function returns: it has no actors any more.
  bus.reset();
  go_on.Notify();
  pool.reset();
  EXPECT_EQ(alive, 0);
}

TEST(BlockingThreadsTest, ThreadsThatAreRefusedAreAnErrorAndNoneIsLeft) {
  Bus bus = NewBus();
  const int before = CountThreads();
  for (int allowed = 0; allowed < 4; ++allowed) {
    threads_allowed = allowed;
    const absl::Status refused =
        BlockingPool::Create(bus, {.threads = 4}).status();
    threads_allowed = -1;
    EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
    EXPECT_TRUE(
        absl::StrContains(refused.message(), "BlockingPoolOptions::threads"))
        << refused;
    AwaitThreads(before);
  }
  EXPECT_EQ(bus.CountActors(), 0u);
  EXPECT_TRUE(BlockingPool::Create(bus, {.threads = 4}).ok());
}

// Actors that end, asks that end, deadlines and a pool that ends: whatever
// comes first, each function that begins returns, what it has captured is
// destroyed, and the books balance.
TEST(BlockingStressTest, P2_NothingIsLostOrKept) {
  ForEachSeed(GetRunOptions().Scale(20, 500), [](uint64_t seed) {
    std::mt19937_64 random(seed);
    std::atomic<int> alive{0}, begun{0}, returned{0}, replies{0};
    Bus bus = NewBus(2);
    auto pool = *BlockingPool::Create(
        bus, {.threads = 1 + static_cast<int>(random() % 3),
              .max_waiting = static_cast<uint32_t>(random() % 40)});
    std::vector<Ref<User>> users;
    for (int i = 0; i < 4; ++i) {
      users.push_back(*bus.Spawn<User>({.loop = i % 2}, pool->blocking()));
    }
    const int calls = 300;
    const int end_pool_at = static_cast<int>(random() % (2 * calls));
    for (int i = 0; i < calls; ++i) {
      Ref<User>& user = users[random() % users.size()];
      const absl::Duration timeout = random() % 4 == 0
                                         ? absl::Microseconds(random() % 200)
                                         : absl::InfiniteDuration();
      user.AskThen(Call{[&, counted = Counted(&alive)] {
                          ++begun;
                          ++returned;
                          return 1;
                        },
                        timeout},
                   absl::InfiniteDuration(),
                   [&](absl::StatusOr<int>) { ++replies; });
      if (random() % 50 == 0) {
        user.Stop();
        user = *bus.Spawn<User>({}, pool->blocking());
      }
      if (i == end_pool_at) pool.reset();
      if (pool == nullptr && random() % 2 == 0) break;
    }
    if (random() % 2 == 0) pool.reset();
    const ShutdownReport report = bus.Shutdown(absl::Seconds(100));
    EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
    pool.reset();
    EXPECT_EQ(begun, returned);
    EXPECT_EQ(alive, 0);
  });
}

// blocking.h: an actor that blocks in its handlers has a loop of its own.
class Codec : public Actor {
 public:
  Codec(Event* begun, Event* go_on) : begun_(*begun), go_on_(*go_on) {}
  void On(const Ping&) {
    begun_.Notify();
    go_on_.WaitForNotification();
  }

 private:
  Event& begun_;
  Event& go_on_;
};

TEST(OwnLoopTest, AnActorOnALoopOfItsOwnBlocksNoOther) {
  Bus bus = Bus::CreateOrDie({.loops = {{}, {.thread_name = "codec"}}});
  auto pool = *BlockingPool::Create(bus, {.threads = 1, .loop = 0});
  Event begun, go_on;
  const auto codec =
      *bus.Spawn<Codec>({.name = "codec", .loop = 1}, &begun, &go_on);
  const auto user = *bus.Spawn<User>({.loop = 0}, pool->blocking());
  codec.Tell(Ping{});
  begun.WaitForNotification();
  EXPECT_EQ(*user.AskAndWait(Ping{}, absl::InfiniteDuration()), 1);
  go_on.Notify();
}

}  // namespace
}  // namespace trolley
