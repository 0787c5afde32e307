// SPDX-License-Identifier: Apache-2.0
//
// P10: how a bus and its actors end.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/sim/sim_random.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/ledger_checker.h"
#include "trolley/tests/bus/run_options.h"
#include "trolley/tests/lib/process.h"

namespace trolley::internal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Diary {
 public:
  void Add(std::string line) {
    absl::MutexLock lock(&mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> Get() const {
    absl::MutexLock lock(&mutex_);
    return lines_;
  }
  // Until this is the last line.
  void Await(absl::string_view line) const {
    absl::MutexLock lock(&mutex_);
    const auto is_last = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !lines_.empty() && lines_.back() == line;
    };
    mutex_.Await(absl::Condition(&is_last));
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

struct Tick {};
struct Line {
  std::string text;
};

// Does what the test says, when the test says it.
class Scripted : public Actor {
 public:
  struct Script {
    std::function<void(Scripted&)> on_start, on_tick, on_stop, on_line;
  };
  Scripted(std::string name, Diary* diary, Script script)
      : name(std::move(name)), diary(*diary), script_(std::move(script)) {}
  ~Scripted() override { diary.Add(name + " destroyed"); }

  void OnStart() override { Run(script_.on_start); }
  void On(const Tick&) { Run(script_.on_tick); }
  void On(const Line& m) {
    diary.Add(name + " got " + m.text);
    Run(script_.on_line);
  }
  void OnStop() override {
    diary.Add(name + " stops");
    Run(script_.on_stop);
  }

  void Later(absl::Duration after) { TellAfter(this, after, Tick{}); }
  void Background() { RunInBackground(SleepAndWrite()); }
  void SpawnOne() {
    const auto junior = Spawn<Scripted>({}, name + " junior", &diary, Script{});
    if (junior.ok()) {
      diary.Add(name + " junior spawned");
    } else {
      EXPECT_TRUE(absl::IsUnavailable(junior.status())) << junior.status();
    }
  }

  const std::string name;
  Diary& diary;

 private:
  Task<absl::Status> SleepAndWrite() {
    co_await Sleep(absl::Milliseconds(1));
    diary.Add(name + " woke");
    co_return absl::OkStatus();
  }
  void Run(const std::function<void(Scripted&)>& what) {
    if (what != nullptr) what(*this);
  }
  Script script_;
};

using ShutdownTest = BusFixture;
TROLLEY_FOR_EACH_BUS(ShutdownTest);

struct Hop {
  int left;
};
class Runner : public Actor {
 public:
  void On(const Hop& m) {
    if (m.left > 0) next.Tell(Hop{m.left - 1});
  }
  Task<absl::Status> On(Line) {
    co_return co_await next.Ask(Hop{0}, absl::InfiniteDuration());
  }
  Ref<Runner> next;
};
struct SetNext {
  Ref<Runner> next;
};

// A ring over all loops.
class RingRunner : public Actor {
 public:
  void On(const SetNext&) {}
  void On(const Hop& m) {
    if (m.left > 0) next_.Tell(Hop{m.left - 1});
  }
  void On(const Ref<RingRunner>& next) { next_ = next; }

 private:
  Ref<RingRunner> next_;
};

TEST_P(ShutdownTest, P10_FiniteWorkIsFinished) {
  constexpr int kHops = 3000;
  Bus& bus = Start();
  std::vector<Ref<RingRunner>> ring;
  for (int i = 0; i < 5; ++i) {
    ring.push_back(*bus.Spawn<RingRunner>({.loop = LoopAt(i % 3)}));
  }
  for (int i = 0; i < 5; ++i) ring[i].Tell(ring[(i + 1) % 5]);
  for (int i = 0; i < 5; ++i) ring[i].Tell(Hop{kHops});
  const ShutdownReport report = bus.Shutdown(absl::InfiniteDuration());
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_EQ(report.abandoned, 0u);
  EXPECT_EQ(report.ledger.handled, 5u + 5u * (kHops + 1));
  EXPECT_TRUE(report.ledger.Balances());
  // Idempotent.
  const ShutdownReport again = bus.Shutdown(absl::ZeroDuration());
  EXPECT_TRUE(again.clean);
  EXPECT_EQ(again.ledger, report.ledger);
}

TEST_P(ShutdownTest, P10_ActorsStopInReverseOrderOfTheirStart) {
  Bus& bus = Start();
  Diary diary;
  std::vector<std::string> expected;
  for (int i = 0; i < 7; ++i) {
    const std::string name(1, 'a' + i);
    ASSERT_TRUE(bus.Spawn<Scripted>({.loop = LoopAt(i % 3)}, name, &diary,
                                    Scripted::Script{})
                    .ok());
    expected.insert(expected.begin(), {name + " stops", name + " destroyed"});
  }
  EXPECT_TRUE(bus.Shutdown(absl::Seconds(60)).clean);
  EXPECT_EQ(diary.Get(), expected);
}

TEST_P(ShutdownTest, P10_WhatOnStopSendsToAnEarlierActorIsHandled) {
  for (int other : {0, LoopAt(1)}) {
    Bus& bus = Start();
    Diary diary;
    auto logger = *bus.Spawn<Scripted>({.loop = other}, "logger", &diary,
                                       Scripted::Script{});
    ASSERT_TRUE(
        bus.Spawn<Scripted>({.loop = 0}, "user", &diary,
                            Scripted::Script{.on_stop =
                                                 [&](Scripted&) {
                                                   logger.Tell(
                                                       Line{"the last word"});
                                                 }})
            .ok());
    const ShutdownReport report = bus.Shutdown(absl::Seconds(60));
    EXPECT_THAT(diary.Get(), ElementsAre("user stops", "user destroyed",
                                         "logger got the last word",
                                         "logger stops", "logger destroyed"));
    EXPECT_TRUE(report.clean);
    EXPECT_EQ(report.abandoned, 0u) << report.ToString();
  }
}

TEST_P(ShutdownTest, P10_ManyActorsThatTellOneAnotherAtTheEnd) {
  for (bool with_time : {true, false}) {
    Bus& bus = Start();
    Diary diary;
    std::vector<Ref<Scripted>> all;
    for (int i = 0; i < 400; ++i) {
      all.push_back(*bus.Spawn<Scripted>(
          {.loop = LoopAt(i % 3)}, std::to_string(i), &diary,
          Scripted::Script{.on_stop = [&all, i](Scripted&) {
            for (int to : {i - 1, i - 2, i - 3, 0}) {
              if (to >= 0 && to < static_cast<int>(all.size())) {
                all[to].Tell(Line{"bye"});
              }
            }
          }}));
    }
    const ShutdownReport report =
        bus.Shutdown(with_time ? absl::Seconds(60) : absl::ZeroDuration());
    EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
    EXPECT_EQ(with_time, report.clean);
  }
}

TEST_P(ShutdownTest, P10_TheLastWordsAreHandledIfASliceHasNoLimit) {
  Bus& bus = Start([](BusOptions& options) {
    for (LoopOptions& loop : options.loops) {
      loop.messages_per_slice = UINT32_MAX;
      loop.messages_per_turn = UINT32_MAX;
    }
  });
  Diary diary;
  auto logger =
      *bus.Spawn<Scripted>({.loop = 0}, "logger", &diary, Scripted::Script{});
  ASSERT_TRUE(bus.Spawn<Scripted>(
                     {.loop = 0}, "user", &diary,
                     Scripted::Script{.on_stop =
                                          [&](Scripted&) {
                                            logger.Tell(Line{"the last word"});
                                          }})
                  .ok());
  EXPECT_EQ(bus.Shutdown(absl::Seconds(60)).abandoned, 0u);
  EXPECT_THAT(diary.Get(), Contains("logger got the last word"));
}

// Notes when it is told to drain. `heirs`: spawns so many others then.
class Drained : public Actor {
 public:
  Drained(std::string name, Diary* diary, int heirs)
      : name_(std::move(name)), diary_(*diary), heirs_(heirs) {}
  void OnStart() override { diary_.Add(name_ + " starts"); }
  void OnDrain() override {
    diary_.Add(name_ + " drains");
    if (heirs_ == 0) return;
    EXPECT_TRUE(Spawn<Drained>({}, name_ + "+", &diary_, heirs_ - 1).ok());
  }
  void On(const Tick&) {}

 private:
  const std::string name_;
  Diary& diary_;
  const int heirs_;
};

TEST_P(ShutdownTest, P10_AnActorThatStartsDuringTheDrainIsToldToDrain) {
  for (const bool started : {true, false}) {
    Bus& bus = Start();
    Diary diary;
    ASSERT_TRUE(
        bus.Spawn<Drained>({.loop = LoopAt(1)}, "a", &diary, /*heirs=*/2).ok());
    if (started) Look();
    EXPECT_TRUE(bus.Shutdown(absl::Seconds(60)).clean);
    EXPECT_THAT(diary.Get(),
                ElementsAre("a starts", "a drains", "a+ starts", "a+ drains",
                            "a++ starts", "a++ drains"));
  }
}

TEST_P(ShutdownTest, P10_AnEndIsToldAfterTheEnd) {
  if (!simulated()) GTEST_SKIP() << "the order of the ends must be known";
  Bus& bus = Start([](BusOptions& options) {
    // So the loop looks at what was handed over after each actor.
    options.loops[0].messages_per_turn = 1;
  });
  Diary diary;
  Ref<Scripted> last;
  const auto watch = [&](Scripted&) {
    last.address().WhenEnded([&](const ActorEnd&) { diary.Add("b is over"); });
  };
  ASSERT_TRUE(bus.Spawn<Scripted>({.loop = 0}, "a", &diary,
                                  Scripted::Script{.on_stop = watch})
                  .ok());
  last = *bus.Spawn<Scripted>({.loop = 0}, "b", &diary, Scripted::Script{});
  Look();
  LoopOf(bus, 0).End();
  EXPECT_THAT(diary.Get(), ElementsAre("a stops", "a destroyed", "b stops",
                                       "b destroyed", "b is over"));
}

TEST_P(ShutdownTest, WhatOnStopBeginsEndsWithTheActor) {
  Bus& bus = Start();
  Diary diary;
  for (int i = 0; i < 3; ++i) {
    auto actor =
        *bus.Spawn<Scripted>({.loop = 0}, "a", &diary,
                             Scripted::Script{.on_stop = [](Scripted& self) {
                               self.Later(absl::Microseconds(1));
                               self.Background();
                             }});
    actor.Stop();
    // The next one may live in the same place.
    absl::Notification done;
    ASSERT_TRUE(
        bus.Spawn<Scripted>(
               {.loop = 0}, "b", &diary,
               Scripted::Script{.on_start =
                                    [](Scripted& self) {
                                      self.Later(absl::Milliseconds(3));
                                    },
                                .on_tick = [&](Scripted&) { done.Notify(); }})
            .ok());
    Await(done);
  }
  EXPECT_EQ(bus.Shutdown(absl::Seconds(60)).ledger.handled, 3u);
  for (const std::string& line : diary.Get()) EXPECT_NE(line, "a woke");
}

TEST_P(ShutdownTest, P10_AnActorSpawnedAtTheVeryEndIsDestroyed) {
  for (bool with_time : {true, false}) {
    Bus& bus = Start();
    Diary diary;
    for (int i = 0; i < 3; ++i) {
      bus.Spawn<Scripted>(
             {.loop = LoopAt(i)}, "parent", &diary,
             Scripted::Script{
                 .on_stop = [](Scripted& self) { self.SpawnOne(); }})
          .IgnoreError();
    }
    Look();  // all have started
    bus.Shutdown(with_time ? absl::Seconds(60) : absl::ZeroDuration());
    int spawned = 0, destroyed = 0;
    for (const std::string& line : diary.Get()) {
      spawned += line == "parent junior spawned";
      destroyed += line == "parent junior destroyed";
    }
    EXPECT_EQ(destroyed, spawned);
    // A loop that ends for want of time spawns no more.
    if (with_time) {
      EXPECT_EQ(spawned, 3);
    }
  }
}

TEST_P(ShutdownTest, P10_AHandlerThatSpinsIsNamed) {
  if (simulated()) GTEST_SKIP() << "it would spin in the test's own thread";
  struct Shared {
    Diary diary;
    absl::Notification ticked, go;
  };
  for (bool on_stop : {false, true}) {
    auto shared = std::make_shared<Shared>();
    const auto tick = [shared](Scripted&) { shared->ticked.Notify(); };
    const auto spin = [shared](Scripted&) { shared->go.WaitForNotification(); };
    const auto tick_and_spin = [=](Scripted& actor) {
      tick(actor);
      spin(actor);
    };
    const int threads = CountThreads();
    Bus& bus = Start();
    auto actor = *bus.Spawn<Scripted>(
        {.name = "the/spinner"}, "spinner", &shared->diary,
        on_stop ? Scripted::Script{.on_tick = tick, .on_stop = spin}
                : Scripted::Script{.on_tick = tick_and_spin});
    // An actor that has not started gets no OnStop().
    actor.Tell(Tick{});
    shared->ticked.WaitForNotification();
    const ShutdownReport report = bus.Shutdown(absl::Milliseconds(20));
    EXPECT_FALSE(report.clean && !on_stop);
    // A loop that only is slow may be named too.
    EXPECT_THAT(report.survivors, Contains(HasSubstr("the/spinner")))
        << report.ToString();
    for (const std::string& survivor : report.survivors) {
      if (!absl::StrContains(survivor, "the/spinner")) continue;
      EXPECT_EQ(absl::StrContains(survivor, ", in its handler of "), !on_stop)
          << survivor;
      EXPECT_EQ(absl::StrContains(survivor, "ms or longer"), !on_stop)
          << survivor;
    }
    // The thread goes on by itself; let it end before the test does.
    Destroy();
    shared->go.Notify();
    shared->diary.Await("spinner destroyed");
    AwaitThreads(threads);
  }
}

TEST_P(ShutdownTest, EveryInspectionIsAnswered) {
  Bus& bus = Start();
  Diary diary;
  std::atomic<int> asked{0}, answered{0};
  const auto inspect = [&](Scripted&) {
    ++asked;
    bus.Inspect([&](BusInfo) { ++answered; });
  };
  for (int i = 0; i < 3; ++i) {
    bus.Spawn<Scripted>({.loop = LoopAt(i)}, "x", &diary,
                        Scripted::Script{.on_stop = inspect})
        .IgnoreError();
  }
  Look();
  bus.Shutdown(absl::ZeroDuration());
  bus.Inspect([&](BusInfo) { ++answered; });
  EXPECT_EQ(asked.load(), 3);
  EXPECT_EQ(answered.load(), 4);
}

// Works until it is stopped.
class Worker : public Actor {
 public:
  Worker(LedgerChecker* checker, std::vector<Ref<Worker>> friends)
      : checker_(*checker), friends_(std::move(friends)) {}
  struct Work {
    Tracked tracked;
  };
  void On(const Work& m) {
    m.tracked.Begin();
    for (const Ref<Worker>& to : friends_) {
      checker_.Sent(to.Tell(Work{checker_.NewMessage()}));
    }
    m.tracked.Finish();
  }

 private:
  LedgerChecker& checker_;
  std::vector<Ref<Worker>> friends_;
};

// As trolley.v1.Control/Stop does, to say how many messages it had handled.
TEST_P(ShutdownTest, WhoWaitsForAnEndLooksAtTheActorOnceMore) {
  Bus& bus = Start();
  Diary diary;
  auto actor =
      *bus.Spawn<Scripted>({.loop = 0}, "x", &diary, Scripted::Script{});
  actor.Tell(Tick{});
  absl::Notification ended;
  std::optional<ActorInfo> last;
  actor.address().WhenEnded([&](const ActorEnd& end) {
    last = end.last;
    ended.Notify();
  });
  actor.Stop(/*drain=*/true);
  Await(ended);
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->handled, 1u);
}

TEST_P(ShutdownTest, P10_BooksBalanceAndNothingIsLeftWhereverItStops) {
  Start();  // so that what is made once, is
  Destroy();
  const int threads_before = CountThreads();
  const int fds_before = OpenDescriptors();
  ForEachSeed(GetRunOptions().Scale(15, 300), [&](uint64_t seed) {
    LedgerChecker checker(2'000'000);
    SimRandom random(seed);
    Bus& bus = Start();
    std::vector<Ref<Worker>> workers;
    for (int i = 0; i < 6; ++i) {
      workers.push_back(*bus.Spawn<Worker>(
          {.loop = LoopAt(i % 3), .mailbox_capacity = 50}, &checker, workers));
    }
    const uint64_t sends = random.Below(3000);
    if (simulated()) {
      for (uint64_t i = 0; i < sends; ++i) {
        checker.Sent(
            workers[random.Below(6)].Tell(Worker::Work{checker.NewMessage()}));
        if (random.Chance(500)) LoopOf(bus, random.Below(loops())).RunOnce();
      }
    } else {
      absl::Notification sent;
      std::thread sender([&, seed = random.Next()] {
        SimRandom own(seed);
        for (uint64_t i = 0; i < 3000; ++i) {
          if (i == sends) sent.Notify();
          checker.Sent(
              workers[own.Below(6)].Tell(Worker::Work{checker.NewMessage()}));
        }
      });
      sent.WaitForNotification();
      const absl::Duration deadline =
          random.Chance(500) ? absl::ZeroDuration() : absl::Seconds(60);
      const ShutdownReport report = bus.Shutdown(deadline);
      EXPECT_TRUE(deadline == absl::ZeroDuration() || report.survivors.empty());
      sender.join();
      // A loop that is only slow goes on by itself when there was no time.
      AwaitThreads(threads_before);
    }
    bus.Shutdown(absl::ZeroDuration());
    EXPECT_EQ(checker.Compare(bus.ReadLedger()), "");
    Destroy();
  });
  // A joined thread leaves /proc a moment after it was joined.
  AwaitThreads(threads_before);
  EXPECT_EQ(OpenDescriptors(), fds_before);
}

}  // namespace
}  // namespace trolley::internal
