// SPDX-License-Identifier: Apache-2.0
//
// P6, bounded memory: a mailbox never holds more than its capacity, from all
// senders together. It refuses only when it is full. Control messages, replies
// and timers pass a full mailbox.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/interleaved.h"
#include "trolley/tests/bus/ledger_checker.h"

namespace trolley::internal {
namespace {

constexpr uint32_t kCapacities[] = {1, 2, 3, 7, 8, 9, 16, 100, 1000};

struct Item {
  Tracked tracked;
};
struct Hold {};
struct Tick {};
struct Get {};

// Takes one message, and then nothing until it is let go.
class Sink : public Actor {
 public:
  struct Control {
    absl::Notification held;
    absl::Notification go;
    absl::Notification stopped;
    std::vector<int> numbers;  // read after `stopped`
    std::atomic<int> ticks{0};
  };
  explicit Sink(Control* control) : control_(*control) {}

  void On(const Hold&) {
    control_.held.Notify();
    control_.go.WaitForNotification();
  }
  void On(const Item& m) {
    m.tracked.Begin();
    m.tracked.Finish();
  }
  void On(const Tick&) { ++control_.ticks; }
  void OnStop() override { control_.stopped.Notify(); }

 private:
  Control& control_;
};

class BoundsTest : public BusFixture {
 protected:
  // A sink with `capacity` places, all free, that handles nothing until
  // control.go: on a loop of its own, or in a simulated world that stands.
  Ref<Sink> NewSink(Sink::Control* control, uint32_t capacity, int loop = 0) {
    auto sink = bus().Spawn<Sink>(
        {.loop = loop, .mailbox_capacity = capacity + (simulated() ? 0 : 1)},
        control);
    if (!simulated()) {
      EXPECT_EQ(sink->Tell(Hold{}), Delivery::kAccepted);
      control->held.WaitForNotification();  // and holds one place
    }
    return *sink;
  }
  // This loop has nothing left to do, has given back what others could use, and
  // falls asleep.
  void AwaitSleep(int loop) {
    absl::Notification sleeps;
    Loop::Post(StateOf(bus())->inbox(loop), [&](Loop& here) {
      here.WhenIdle([&](Loop&) { sleeps.Notify(); });
    });
    sleeps.WaitForNotification();
  }
};
TROLLEY_FOR_EACH_BUS(BoundsTest);

TEST_P(BoundsTest, P6_TheBoundIsExactForAPlainThread) {
  for (uint32_t capacity : kCapacities) {
    Start();
    LedgerChecker checker;
    Sink::Control control;
    Ref<Sink> sink = NewSink(&control, capacity);
    for (uint32_t i = 0; i < capacity + 10; ++i) {
      ASSERT_EQ(checker.Sent(sink.Tell(Item{checker.NewMessage()})),
                i < capacity ? Delivery::kAccepted : Delivery::kFull)
          << "message " << i << " to a mailbox of " << capacity;
    }
    control.go.Notify();
    const ShutdownReport report = bus().Shutdown(absl::Seconds(60));
    EXPECT_TRUE(report.clean);
    EXPECT_EQ(report.ledger.handled, capacity + (simulated() ? 0 : 1));
    EXPECT_EQ(checker.handled(), capacity);
  }
}

TEST_P(BoundsTest, P6_TheBoundIsExactForSeveralThreads) {
  if (simulated()) GTEST_SKIP() << "a simulated bus has one thread";
  for (uint32_t capacity : kCapacities) {
    Start();
    LedgerChecker checker;
    Sink::Control control;
    Ref<Sink> sink = NewSink(&control, capacity);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        while (checker.Sent(sink.Tell(Item{checker.NewMessage()})) ==
               Delivery::kAccepted) {
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(checker.accepted(), capacity);
    EXPECT_EQ(checker.alive(), capacity);
    control.go.Notify();
    bus().Shutdown(absl::Seconds(60));
  }
}

// Sends to a sink until it is full, or it has sent `most`.
class Filler : public Actor {
 public:
  Filler(Ref<Sink> sink, LedgerChecker* checker, absl::Notification* done,
         uint32_t most = UINT32_MAX)
      : sink_(std::move(sink)), checker_(*checker), done_(done), left_(most) {}
  void On(const Tick&) {
    while (left_-- > 0 &&
           checker_.Sent(sink_.Tell(Item{checker_.NewMessage()})) ==
               Delivery::kAccepted) {
    }
    done_->Notify();
  }

 private:
  Ref<Sink> sink_;
  LedgerChecker& checker_;
  absl::Notification* done_;
  uint32_t left_;
};

TEST_P(BoundsTest, P6_TheBoundIsExactForAnotherLoopAndItsCredits) {
  if (loops() == 1) GTEST_SKIP() << "needs two loops";
  for (uint32_t capacity : kCapacities) {
    Start();
    LedgerChecker checker;
    Sink::Control control;
    Ref<Sink> sink = NewSink(&control, capacity);
    absl::Notification done;
    auto filler = bus().Spawn<Filler>({.loop = 1}, sink, &checker, &done);
    filler->Tell(Tick{});
    if (simulated()) {
      // Only the sender's loop has turns.
      while (!done.HasBeenNotified()) LoopOf(bus(), 1).RunOnce();
    } else {
      done.WaitForNotification();
    }
    EXPECT_EQ(checker.accepted(), capacity);
    control.go.Notify();
    const ShutdownReport report = bus().Shutdown(absl::Seconds(60));
    EXPECT_EQ(checker.handled(), capacity);
    EXPECT_TRUE(report.clean);
  }
}

TEST_P(BoundsTest, P6_ASleepingLoopHoldsNoCreditInAdvance) {
  if (simulated() || loops() < 3) GTEST_SKIP() << "needs three threads";
  for (uint32_t capacity : kCapacities) {
    Start();
    LedgerChecker checker;
    Sink::Control control;
    Ref<Sink> sink = NewSink(&control, capacity);
    absl::Notification done[2];
    for (int i = 0; i < 2; ++i) {
      bus()
          .Spawn<Filler>({.loop = i + 1}, sink, &checker, &done[i], 1)
          ->Tell(Tick{});
    }
    for (absl::Notification& one : done) one.WaitForNotification();
    // Each loop has sent one message, and holds an eighth of the credits for
    // that. It gives back what it has not used before it sleeps.
    for (int loop : {1, 2}) AwaitSleep(loop);
    while (checker.accepted() < capacity) {
      const Delivery told = sink.Tell(Item{checker.NewMessage()});
      ASSERT_EQ(checker.Sent(told), Delivery::kAccepted)
          << "a loop that sleeps holds credits";
    }
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(sink.Tell(Item{checker.NewMessage()}), Delivery::kFull);
    }
    EXPECT_EQ(checker.alive(), capacity);
    control.go.Notify();
    bus().Shutdown(absl::Seconds(60));
  }
}

// Tells a sink its last message again and again.
class Leaver : public Actor {
 public:
  Leaver(Ref<Sink> to, LedgerChecker* checker, std::vector<Delivery>* told,
         absl::Notification* done)
      : to_(std::move(to)), checker_(*checker), told_(*told), done_(*done) {}
  void On(const Tick&) {
    for (int i = 0; i < 3; ++i) {
      told_.push_back(
          checker_.Sent(TellLast(to_, Item{checker_.NewMessage()})));
    }
    done_.Notify();
  }

 private:
  const Ref<Sink> to_;
  LedgerChecker& checker_;
  std::vector<Delivery>& told_;
  absl::Notification& done_;
};

TEST_P(BoundsTest, P6_OnlyTheFirstLastMessagePassesAFullMailbox) {
  if (loops() == 1) GTEST_SKIP() << "the sender needs another loop";
  Start();
  LedgerChecker checker;
  Sink::Control control;
  const Ref<Sink> sink = NewSink(&control, /*capacity=*/1);
  EXPECT_EQ(checker.Sent(sink.Tell(Item{checker.NewMessage()})),
            Delivery::kAccepted);
  std::vector<Delivery> told;
  absl::Notification done;
  bus().Spawn<Leaver>({.loop = 1}, sink, &checker, &told, &done)->Tell(Tick{});
  while (simulated() && !done.HasBeenNotified()) LoopOf(bus(), 1).RunOnce();
  done.WaitForNotification();
  EXPECT_EQ(told, (std::vector<Delivery>{Delivery::kAccepted, Delivery::kFull,
                                         Delivery::kFull}));
  control.go.Notify();
  bus().Shutdown(absl::Seconds(60));
}

// Sends itself a message for each one that it handles, so its loop never rests.
class Restless : public Actor {
 public:
  void On(const Tick&) { Self(this).Tell(Tick{}); }
};

TEST_P(BoundsTest, P6_ABusyLoopGivesBackCreditsThatItDoesNotUse) {
  if (!simulated() || loops() == 1) GTEST_SKIP() << "the test counts turns";
  constexpr uint32_t kCapacity = 1000;
  Start();
  LedgerChecker checker;
  Sink::Control control;
  const Ref<Sink> sink = NewSink(&control, kCapacity);
  absl::Notification done;
  bus().Spawn<Filler>({.loop = 1}, sink, &checker, &done, 1)->Tell(Tick{});
  bus().Spawn<Restless>({.loop = 1})->Tell(Tick{});
  while (!done.HasBeenNotified()) LoopOf(bus(), 1).RunOnce();
  // The sink handles the message, and its own loop keeps no credit.
  RunUntilQuiet(LoopOf(bus(), 0));
  LoopOf(bus(), 0).PrepareToSleep();
  const CreditPool& credits = StateOf(bus())->cells().Find(sink.id()).credits;
  EXPECT_LT(credits.free(), kCapacity) << "the sender holds none in advance";
  for (int turn = 0; turn < 64; ++turn) {
    EXPECT_TRUE(LoopOf(bus(), 1).RunOnce()) << "it is not busy";
  }
  EXPECT_EQ(credits.free(), kCapacity);
  bus().Shutdown(absl::ZeroDuration());
}

// Does in its constructor what the test says.
class Announced : public Actor {
 public:
  Announced(int* ticks, const std::function<void(Ref<Announced>)>& what)
      : ticks_(*ticks) {
    what(Self(this));
  }
  void On(const Tick&) { ++ticks_; }

 private:
  int& ticks_;
};
class Greeter : public Actor {
 public:
  void On(const Ref<Announced>& whom) {
    for (int i = 0; i < 100; ++i) whom.Tell(Tick{});
  }
};

// The cell has the capacity of an earlier actor until the next one has come.
TEST_P(BoundsTest, P6_MessagesAheadOfTheirActorFillItsOwnMailbox) {
  if (!simulated()) GTEST_SKIP() << "the loop runs in the constructor";
  Start();
  auto greeter = *bus().Spawn<Greeter>({.loop = 0});
  // So many that free cells come back to plain threads.
  int ticks = 0;
  for (int i = 0; i < 300; ++i) {
    auto small = *bus().Spawn<Announced>({.loop = 0, .mailbox_capacity = 64},
                                         &ticks, [](const auto&) {});
    bus().RunUntilIdle();
    small.Stop();
    bus().RunUntilIdle();
  }
  auto large = *bus().Spawn<Announced>({.loop = 0, .mailbox_capacity = 1000},
                                       &ticks, [&](const Ref<Announced>& self) {
                                         greeter.Tell(self);
                                         bus().RunUntilIdle();
                                       });
  EXPECT_GT(large.id().generation(), 1u) << "it is in a new cell";
  bus().RunUntilIdle();
  EXPECT_EQ(ticks, 100);
  EXPECT_EQ(StateOf(bus())->cells().Find(large.id()).credits.free(), 1000u);
}

// Each slot has ended its last generation, so none can be used again.
TEST(CellTableTest, P6_SlotsThatAreUsedUpAreNotCounted) {
  CellTable cells(/*max_cells=*/1);
  uint32_t generation = 0;
  uint32_t used = 0;
  for (; Cell* cell = cells.Allocate(&generation); ++used) {
    cells.Free(cell, UINT32_MAX);
  }
  EXPECT_EQ(used, cells.max_slots());
  EXPECT_EQ(cells.in_use(), 0u);
  EXPECT_EQ(cells.AllocateLocal(&generation), nullptr);
  EXPECT_EQ(cells.in_use(), 0u);
}

// Fills its own mailbox from within, and counts.
class SelfFiller : public Actor {
 public:
  SelfFiller(absl::Notification* done, uint32_t* accepted)
      : done_(done), accepted_(*accepted) {}
  void On(const Get&) {
    while (Self(this).Tell(Tick{}) == Delivery::kAccepted) ++accepted_;
    done_->Notify();
  }
  void On(const Tick&) {}

 private:
  absl::Notification* done_;
  uint32_t& accepted_;
};

TEST_P(BoundsTest, P6_TheBoundIsExactOnOneLoop) {
  for (uint32_t capacity : kCapacities) {
    Bus& bus = Start();
    absl::Notification done;
    uint32_t accepted = 0;
    auto actor =
        bus.Spawn<SelfFiller>({.mailbox_capacity = capacity}, &done, &accepted);
    actor->Tell(Get{});
    Await(done);
    EXPECT_EQ(accepted, capacity - 1);  // the message in hand has its place
    EXPECT_TRUE(bus.Shutdown(absl::Seconds(60)).clean);
  }
}

TEST_P(BoundsTest, P6_AStopPassesAFullMailbox) {
  Start();
  LedgerChecker checker;
  Sink::Control control;
  Ref<Sink> sink = NewSink(&control, 5);
  while (checker.Sent(sink.Tell(Item{checker.NewMessage()})) ==
         Delivery::kAccepted) {
  }
  EXPECT_EQ(sink.Stop(), Delivery::kAccepted);
  control.go.Notify();
  Await(control.stopped);
  const ShutdownReport report = bus().Shutdown(absl::Seconds(60));
  EXPECT_EQ(checker.handled(), 0u);
  EXPECT_EQ(report.ledger.dead_lettered, 5u);
  EXPECT_EQ(checker.alive(), 0u);
}

// Asks while its own mailbox is full, and sets a timer.
class Busy : public Actor {
 public:
  Busy(Ref<SelfFiller> other, absl::Notification* done, std::string* seen)
      : other_(std::move(other)), done_(done), seen_(*seen) {}
  Task<> On(Get) {
    while (Self(this).Tell(Tick{}) == Delivery::kAccepted) {
    }
    TellAfter(this, absl::ZeroDuration(), Hold{});
    const absl::Status reply =
        co_await other_.Ask(Tick{}, absl::InfiniteDuration());
    seen_ += reply.ok() ? "reply " : "no reply ";
    co_await Sleep(absl::Milliseconds(1));  // the timer is due by now
  }
  void On(const Hold&) { seen_ += "timer "; }
  void On(const Tick&) {
    seen_ += "data";
    done_->Notify();
  }

 private:
  Ref<SelfFiller> other_;
  absl::Notification* done_;
  std::string& seen_;
};

TEST_P(BoundsTest, P6_RepliesAndTimersPassAFullMailbox) {
  Bus& bus = Start();
  absl::Notification unused, done;
  uint32_t accepted = 0;
  std::string seen;
  auto other = *bus.Spawn<SelfFiller>({.loop = LoopAt(1)}, &unused, &accepted);
  auto busy =
      bus.Spawn<Busy>({.loop = 0, .mailbox_capacity = 2}, other, &done, &seen);
  busy->Tell(Get{});
  Await(done);
  EXPECT_EQ(seen, "reply timer data");
}

struct Number {
  int from;
  int value;
};
struct Slow {};

// Handles numbers one at a time; each takes a while.
class Collector : public Actor {
 public:
  Collector(std::vector<Number>* to, size_t expected, absl::Notification* done)
      : to_(*to), expected_(expected), done_(done) {}
  Task<> On(Number m) {
    co_await Sleep(absl::Microseconds(1));
    to_.push_back(m);
    if (to_.size() == expected_) done_->Notify();
  }
  Task<> On(Slow) { co_await Sleep(absl::Seconds(1)); }

 private:
  std::vector<Number>& to_;
  const size_t expected_;
  absl::Notification* done_;
};

class Producer : public Actor {
 public:
  Producer(int index, int count, Ref<Collector> to)
      : index_(index), count_(count), to_(std::move(to)) {}
  void OnStart() override { RunInBackground(SendAll()); }
  void On(const Tick&) {}

 private:
  Task<absl::Status> SendAll() {
    for (int i = 0; i < count_; ++i) {
      const absl::Status sent = co_await to_.Send(Number{index_, i});
      if (!sent.ok()) co_return sent;
    }
    co_return absl::OkStatus();
  }
  const int index_;
  const int count_;
  const Ref<Collector> to_;
};

TEST_P(BoundsTest, P6_SendWaitsForRoomAndLosesNothing) {
  constexpr int kProducers = 6;
  constexpr int kEach = 50;
  for (uint32_t capacity : {1u, 2u, 16u}) {
    Bus& bus = Start();
    std::vector<Number> got;
    absl::Notification done;
    auto collector = bus.Spawn<Collector>(
        {.name = "collector", .mailbox_capacity = capacity}, &got,
        size_t{kProducers * kEach}, &done);
    for (int i = 0; i < kProducers; ++i) {
      ASSERT_TRUE(
          bus.Spawn<Producer>({.loop = LoopAt(i % 3)}, i, kEach, *collector)
              .ok());
    }
    while (!done.HasBeenNotified()) {
      if (simulated()) break;
      for (const ActorInfo& actor : Look().actors) {
        if (actor.name == "collector") {
          ASSERT_LE(actor.depth, capacity);
        }
      }
    }
    Await(done);
    std::vector<int> next(kProducers);
    for (const Number& n : got) EXPECT_EQ(n.value, next[n.from]++);
    const ShutdownReport report = bus.Shutdown(absl::Seconds(60));
    EXPECT_TRUE(report.clean) << report.ToString();
    EXPECT_EQ(report.ledger.refused, 0u);
    EXPECT_EQ(report.ledger.handled, uint64_t{kProducers * kEach});
  }
}

class SimBoundsTest : public BoundsTest {};
INSTANTIATE_TEST_SUITE_P(Forms, SimBoundsTest,
                         testing::Values(BusForm{"sim", 1}, BusForm{"sim", 2},
                                         BusForm{"sim", 3}),
                         BusFormName);

TEST_P(SimBoundsTest, P6_CreditsGoToTheSendersInTheirOrder) {
  constexpr int kProducers = 8;
  Bus& bus = Start();
  std::vector<Number> got;
  absl::Notification done;
  auto collector = *bus.Spawn<Collector>({.loop = 0, .mailbox_capacity = 1},
                                         &got, size_t{kProducers}, &done);
  collector.Tell(Slow{});
  for (int i = 0; i < kProducers; ++i) {
    ASSERT_TRUE(
        bus.Spawn<Producer>({.loop = LoopAt(i % 3)}, i, 1, collector).ok());
    bus.RunUntilIdle();
  }
  EXPECT_TRUE(got.empty());
  Await(done);
  for (int i = 0; i < kProducers; ++i) EXPECT_EQ(got[i].from, i);
}

// Counts what it gets, at once.
class Counter : public Actor {
 public:
  explicit Counter(int* got) : got_(*got) {}
  void On(const Number&) { ++got_; }

 private:
  int& got_;
};

// When `to` has handled a message, counts what another thread can send there
// while this loop is busy.
class Outpost : public Actor {
 public:
  struct Begin {};
  Outpost(Ref<Counter> to, int* accepted) : to_(to), accepted_(*accepted) {}
  Task<absl::Status> On(Begin) {
    auto handled = to_.Ask(Number{}, absl::Seconds(1));
    const absl::Status status = co_await handled;
    std::thread([this] {
      while (to_.Tell(Number{}) == Delivery::kAccepted) ++accepted_;
    }).join();
    co_return status;
  }

 private:
  const Ref<Counter> to_;
  int& accepted_;
};

TEST(CreditsTest, P6_ABusyLoopKeepsNoneOfAFewCredits) {
  for (const uint32_t capacity : {1, 2, 8, 15}) {
    Bus bus = Bus::CreateOrDie({.for_tests = {.single_threaded = true}});
    int got = 0;
    int accepted = 0;
    auto counter = *bus.Spawn<Counter>({.mailbox_capacity = capacity}, &got);
    auto busy = *bus.Spawn<Outpost>({}, counter, &accepted);
    busy.Tell(Outpost::Begin{});
    bus.RunUntilIdle();
    EXPECT_EQ(accepted, static_cast<int>(capacity));
    EXPECT_EQ(got, accepted + 1);
  }
}

// Sends so many, waiting for room, and counts.
class Feeder : public Actor {
 public:
  Feeder(int count, int* sent, Ref<Counter> to)
      : count_(count), sent_(*sent), to_(std::move(to)) {}
  Task<absl::Status> On(Tick) {
    for (int i = 0; i < count_; ++i, ++sent_) {
      const absl::Status sent = co_await to_.Send(Number{0, i});
      if (!sent.ok()) co_return sent;
    }
    co_return absl::OkStatus();
  }

 private:
  const int count_;
  int& sent_;
  const Ref<Counter> to_;
};

TEST_P(SimBoundsTest, P6_ASenderThatWaitsIsWokenForAQuarterOfAMailbox) {
  if (loops() == 1) GTEST_SKIP() << "needs two loops";
  constexpr int kCapacity = 1024;
  Bus& bus = Start();
  int got = 0, sent = 0;
  auto counter =
      *bus.Spawn<Counter>({.loop = 0, .mailbox_capacity = kCapacity}, &got);
  auto feeder = *bus.Spawn<Feeder>({.loop = 1}, 10 * kCapacity, &sent, counter);
  feeder.Tell(Tick{});
  LoopOf(bus, 1).RunOnce();
  ASSERT_EQ(sent, kCapacity);
  int woken = 0;
  while (got < 10 * kCapacity) {
    const int before = sent;
    LoopOf(bus, 0).RunOnce();
    LoopOf(bus, 1).RunOnce();
    if (sent == before) continue;
    ++woken;
    if (sent < 10 * kCapacity) {
      EXPECT_GE(sent - before, kCapacity / 4);
    }
  }
  EXPECT_GT(woken, 9);
  EXPECT_EQ(sent, 10 * kCapacity);
}

TEST_P(SimBoundsTest, P6_RoomThatOneLeavesUnusedGoesToTheOthersThatWait) {
  if (loops() == 1) GTEST_SKIP() << "needs two loops";
  constexpr int kCapacity = 1024;
  constexpr int kFeeders = 40;
  Bus& bus = Start();
  int got = 0, sent = 0, filled = 0;
  auto counter =
      *bus.Spawn<Counter>({.loop = 0, .mailbox_capacity = kCapacity}, &got);
  bus.Spawn<Feeder>({.loop = 1}, kCapacity, &filled, counter)->Tell(Tick{});
  LoopOf(bus, 1).RunOnce();
  ASSERT_EQ(filled, kCapacity);
  for (int i = 0; i < kFeeders; ++i) {
    bus.Spawn<Feeder>({.loop = 1}, 1, &sent, counter)->Tell(Tick{});
  }
  RunUntilQuiet(LoopOf(bus, 1));
  ASSERT_EQ(sent, 0);
  bus.RunUntilIdle();
  EXPECT_EQ(sent, kFeeders);
  EXPECT_EQ(got, kCapacity + kFeeders);
}

TEST_P(SimBoundsTest, P6_ACreditGrantedToAnActorThatEndedIsNotLost) {
  for (bool another_waits : {false, true}) {
    Bus& bus = Start();
    std::vector<Number> got;
    absl::Notification done;
    auto collector = *bus.Spawn<Collector>({.loop = 0, .mailbox_capacity = 1},
                                           &got, size_t{1}, &done);
    collector.Tell(Slow{});
    bus.RunUntilIdle();
    auto ends = *bus.Spawn<Producer>({.loop = LoopAt(1)}, 0, 1, collector);
    bus.RunUntilIdle();  // it waits for room
    if (another_waits) {
      ASSERT_TRUE(
          bus.Spawn<Producer>({.loop = LoopAt(2)}, 7, 1, collector).ok());
      bus.RunUntilIdle();
    }
    ends.Stop();
    Settle();  // the collector is free again, and offers the place
    if (!another_waits) {
      ASSERT_EQ(collector.Tell(Number{7, 0}), Delivery::kAccepted);
      Settle();
    }
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].from, 7);
  }
}

// Tells the sink what it can, for ever, until the sink is gone.
class Pusher : public Actor {
 public:
  Pusher(Ref<Collector> to, int patience)
      : to_(std::move(to)), patience_(patience) {}
  void OnStart() override { Self(this).Tell(Tick{}); }
  void On(const Tick&) {
    for (;;) {
      const Delivery delivery = to_.Tell(Number{0, 0});
      if (delivery == Delivery::kGone) return;
      if (delivery != Delivery::kAccepted) break;
    }
    if (--patience_ > 0) Self(this).Tell(Tick{});
  }

 private:
  const Ref<Collector> to_;
  int patience_;
};

TEST_P(SimBoundsTest, P10_AnActorUnderLoadEndsWhenItIsToldToDrain) {
  constexpr uint32_t kCapacity = 64;
  Bus& bus = Start();
  std::vector<Number> got;
  absl::Notification done;
  auto collector =
      *bus.Spawn<Collector>({.loop = 0, .mailbox_capacity = kCapacity}, &got,
                            size_t{1'000'000}, &done);
  ASSERT_TRUE(
      bus.Spawn<Pusher>({.loop = LoopAt(1)}, collector, 1'000'000).ok());
  const auto run = [&](int steps) {
    for (int i = 0; i < steps; ++i) {
      for (int loop = 0; loop < loops(); ++loop) LoopOf(bus, loop).RunOnce();
      world().StepTime(world().clock().Now() + absl::Microseconds(1));
    }
  };
  run(50);
  const size_t before = got.size();
  ASSERT_GT(before, 0u);
  ASSERT_EQ(collector.Stop(/*drain=*/true), Delivery::kAccepted);
  run(5 * kCapacity);
  EXPECT_EQ(collector.Tell(Number{1, 1}), Delivery::kGone);
  // What was queued was handled, and what was on its way, and no more.
  EXPECT_GE(got.size(), before + kCapacity / 2);
  EXPECT_LE(got.size(), before + 2 * kCapacity);
  const ShutdownReport report = bus.Shutdown(absl::ZeroDuration());
  EXPECT_EQ(report.ledger.dead_lettered, 0u) << report.ToString();
}

TEST_P(SimBoundsTest, P10_DrainingWaitsForHandlersThatWait) {
  Bus& bus = Start();
  std::vector<Number> got;
  absl::Notification done;
  auto collector =
      SpawnInterleaved<Collector>(bus, {.loop = 0}, &got, size_t{100}, &done);
  for (int i = 0; i < 10; ++i) collector.Tell(Number{0, i});
  bus.RunUntilIdle();
  EXPECT_EQ(got.size(), 0u);
  collector.Stop(/*drain=*/true);
  Settle();
  EXPECT_EQ(got.size(), 10u);
  EXPECT_EQ(collector.Tell(Number{1, 1}), Delivery::kGone);
  EXPECT_EQ(bus.Shutdown(absl::ZeroDuration()).ledger.dead_lettered, 0u);
}

}  // namespace
}  // namespace trolley::internal
