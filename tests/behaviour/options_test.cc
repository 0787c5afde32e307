// SPDX-License-Identifier: Apache-2.0
//
// Every number of the options of actors/behaviour at its extremes: it works, or
// is refused by its name. Lengths of time have tests of their own; a Gate is
// tested in gate_test.cc.

#include <signal.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/blocking.h"
#include "trolley/actors/behaviour/every.h"
#include "trolley/actors/behaviour/run_until_signal.h"
#include "trolley/actors/behaviour/stash.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/bus/option_fields.h"

namespace trolley {
namespace {

using testing::SimBus;

// The smaller one, as a size.
size_t Least(uint64_t a, size_t b) {
  return static_cast<size_t>(std::min<uint64_t>(a, b));
}

// --- Stash ------------------------------------------------------------------

struct Number {
  int value;
};
struct HandOver {};

// Keeps what comes until it is told to hand it over.
class Keeper : public Actor {
 public:
  Keeper(const StashOptions& options, std::vector<int>* handled, int* refused)
      : handled_(*handled), refused_(*refused), stash_(this, options) {}
  void On(const Number& m) {
    if (open_) return handled_.push_back(m.value);
    absl::Status kept = stash_.Keep(m);
    if (kept.ok()) return;
    EXPECT_TRUE(absl::IsResourceExhausted(kept)) << kept;
    ++refused_;
  }
  void On(const HandOver&) {
    open_ = true;
    stash_.Unstash();
  }

  static constexpr size_t kBytesOfOne = Stash<Number>::kBytesOfOne;

 private:
  bool open_ = false;
  std::vector<int>& handled_;
  int& refused_;
  Stash<Number> stash_;
};

absl::Status UseStash(const StashOptions& options) {
  constexpr int kNumbers = 100;
  std::vector<int> handled;
  int refused = 0;
  SimBus sim;
  const auto keeper = sim.Spawn<Keeper>({}, options, &handled, &refused);
  std::vector<int> kept;
  for (int i = 0; i < kNumbers; ++i) keeper.Tell(Number{i});
  keeper.Tell(HandOver{});
  sim.RunUntilIdle();
  const size_t fit =
      Least(options.max_messages,
            Least(options.max_bytes / Keeper::kBytesOfOne, kNumbers));
  for (size_t i = 0; i < fit; ++i) kept.push_back(static_cast<int>(i));
  EXPECT_EQ(handled, kept);
  EXPECT_EQ(static_cast<size_t>(refused), kNumbers - fit);
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfAStash) {
  AtExtremes<StashOptions>(
      [](StashOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, max_messages, max_bytes);
      },
      UseStash);
  // One byte less than a message is none.
  constexpr size_t kOne = Keeper::kBytesOfOne;
  for (const size_t bytes : {kOne - 1, kOne, 2 * kOne - 1, 2 * kOne}) {
    EXPECT_TRUE(UseStash({.max_bytes = bytes}).ok());
  }
}

// --- Every ------------------------------------------------------------------

struct Beat {};
struct Begin {
  EveryOptions options;
};

class Heart : public Actor {
 public:
  explicit Heart(std::vector<Instant>* beats) : beats_(*beats) {}
  absl::Status On(const Begin& m) { return beat_.Start(this, m.options); }
  void On(const Tick<Beat>&) { beats_.push_back(context().Now()); }
  void OnDrain() override { beat_.Stop(); }

 private:
  std::vector<Instant>& beats_;
  Every<Beat> beat_;
};

TEST(OptionsTest, EveryNumberOfAnEvery) {
  AtExtremes<EveryOptions>(
      [](EveryOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, period, jitter, seed, at_start);
      },
      [](EveryOptions options) {
        options.jitter = options.period / 2;  // or the seed has no effect
        std::vector<Instant> beats;
        SimBus sim;
        const auto heart = sim.Spawn<Heart>({}, &beats);
        const Instant begin = sim.Now();
        const absl::Status started =
            sim.Ask(heart, Begin{options}, absl::Seconds(1));
        constexpr int kPeriods = 20;
        sim.RunFor((kPeriods + 0.75) * options.period);
        EXPECT_EQ(beats.size(), kPeriods + (options.at_start ? 1u : 0u));
        Instant point = begin;
        for (size_t i = 0; i < beats.size(); ++i) {
          if (i > 0 || !options.at_start) point = point + options.period;
          EXPECT_GE(beats[i], point);
          EXPECT_LE(beats[i], point + options.jitter);
        }
        return started;
      });
}

// --- BlockingPool -----------------------------------------------------------

struct Block {};

// Blocks a thread until the test goes on, for each ask.
class Caller : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  Caller(Blocking blocking, absl::Notification* go_on)
      : blocking_(std::move(blocking)), go_on_(*go_on) {}
  Task<absl::Status> On(Block) {
    auto run = blocking_.Run([this] { go_on_.WaitForNotification(); });
    co_return co_await run;
  }

 private:
  const Blocking blocking_;
  absl::Notification& go_on_;
};

absl::Status UseBlockingPool(const BlockingPoolOptions& options) {
  constexpr size_t kCalls = 20;
  auto bus = Bus::CreateOrDie({});
  auto pool = BlockingPool::Create(bus, options);
  if (!pool.ok()) return pool.status();
  absl::Notification go_on;
  const auto caller = *bus.Spawn<Caller>({}, (*pool)->blocking(), &go_on);
  // Without threads the loop runs each function, and none of them waits.
  if (options.threads == 0) go_on.Notify();
  const size_t fit =
      options.threads == 0
          ? kCalls
          : Least(static_cast<uint64_t>(options.threads) + options.max_waiting,
                  kCalls);
  absl::Mutex mutex;
  size_t refused = 0, done = 0;
  for (size_t i = 0; i < kCalls; ++i) {
    caller.AskThen(
        Block{}, absl::InfiniteDuration(), [&](const absl::Status& status) {
          EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status))
              << status;
          absl::MutexLock lock(&mutex);
          ++(status.ok() ? done : refused);
        });
  }
  const auto others_refused = [&] { return refused >= kCalls - fit; };
  const auto all_over = [&] { return refused + done == kCalls; };
  absl::MutexLock lock(&mutex, absl::Condition(&others_refused));
  if (options.threads > 0) go_on.Notify();
  mutex.Await(absl::Condition(&all_over));
  EXPECT_EQ(done, fit);
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfABlockingPool) {
  AtExtremes<BlockingPoolOptions>(
      [](BlockingPoolOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, threads, max_waiting, name, loop, thread_name);
      },
      UseBlockingPool);
  EXPECT_TRUE(
      UseBlockingPool({.threads = BlockingPoolOptions::kMostThreads,
                       .max_waiting = BlockingPoolOptions::kMostWaiting})
          .ok());
  EXPECT_TRUE(
      UseBlockingPool(
          {.threads = 1, .max_waiting = BlockingPoolOptions::kMostWaiting})
          .ok());
  EXPECT_FALSE(
      UseBlockingPool({.threads = BlockingPoolOptions::kMostThreads + 1}).ok());
  EXPECT_FALSE(
      UseBlockingPool({.max_waiting = BlockingPoolOptions::kMostWaiting + 1})
          .ok());
}

// --- RunUntilSignal ---------------------------------------------------------

class Idle : public Actor {
 public:
  void On(const Block&) {}
};

// Runs until an actor ends that has ended. Returns the exit code and the texts.
std::pair<int, std::string> UseRunUntilSignal(RunUntilSignalOptions options) {
  std::string texts;
  auto bus = Bus::CreateOrDie({});
  auto idle = *bus.Spawn<Idle>({});
  idle.Stop();
  options.until_ended = idle.address();
  options.print = [&](absl::string_view line) {
    texts.append(line.data(), line.size());
  };
  const int code = RunUntilSignal(bus, options);
  return {code, texts};
}

// The list of the fields holds no number but those of signals. If that changes,
// it does not compile, or tries the number.
TEST(OptionsTest, EveryNumberOfRunUntilSignal) {
  AtExtremes<RunUntilSignalOptions>(
      [](RunUntilSignalOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, signals, deadline, second_after, until_ended,
                       before_shutdown, print);
      },
      [](const RunUntilSignalOptions& options) {
        EXPECT_EQ(UseRunUntilSignal(options).first, 0);
        return absl::OkStatus();
      });
  EXPECT_EQ(UseRunUntilSignal({.signals = {}}).first, 0);
  for (const int signal :
       {std::numeric_limits<int>::min(), -1, 0, SIGKILL, SIGSTOP, 32,
        SIGRTMAX + 1, 1 << 30, std::numeric_limits<int>::max()}) {
    const auto [code, texts] = UseRunUntilSignal({.signals = {signal}});
    EXPECT_EQ(code, EXIT_FAILURE) << signal;
    EXPECT_TRUE(absl::StrContains(texts, "cannot wait for signals")) << texts;
  }
}

}  // namespace
}  // namespace trolley
