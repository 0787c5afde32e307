// SPDX-License-Identifier: Apache-2.0
//
// P8, containment: an actor that throws ends, and no other actor does. An asker
// gets the text of the exception. The log has one line about it.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/ledger_checker.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

enum class Where {
  kNowhere,
  kOnStart,
  kHandler,
  kBeforeSuspension,
  kAfterSuspension,
  kInnerTask,
  kOnStop,
  kBackground,
  kBackgroundLater,
  kBackgroundError,
};

struct Plain {};
struct Coroutine {};
struct Ping {};

class Bomb : public Actor {
 public:
  Bomb(Where where, absl::Notification* gone) : where_(where), gone_(gone) {}
  ~Bomb() override { gone_->Notify(); }

  void OnStart() override {
    Throw(Where::kOnStart);
    if (where_ == Where::kBackground || where_ == Where::kBackgroundLater ||
        where_ == Where::kBackgroundError) {
      RunInBackground(Background());
    }
  }
  int On(const Plain&) {
    Throw(Where::kHandler);
    return 7;
  }
  Task<int> On(Coroutine) {
    Throw(Where::kBeforeSuspension);
    co_await Sleep(absl::Nanoseconds(1));
    Throw(Where::kAfterSuspension);
    co_return co_await Inner();
  }
  void OnStop() override { Throw(Where::kOnStop); }

 private:
  Task<int> Inner() {
    co_await Sleep(absl::Nanoseconds(1));
    Throw(Where::kInnerTask);
    co_return 8;
  }
  Task<absl::Status> Background() {
    Throw(Where::kBackground);
    co_await Sleep(absl::Nanoseconds(1));
    Throw(Where::kBackgroundLater);
    co_return where_ == Where::kBackgroundError ? absl::DataLossError("bang")
                                                : absl::OkStatus();
  }
  void Throw(Where here) {
    if (here == where_) throw std::runtime_error("bang");
  }

  const Where where_;
  absl::Notification* gone_;
};

// Asks a bomb and says what it heard.
struct Go {};
class Asker : public Actor {
 public:
  Asker(Ref<Bomb> bomb, absl::Status* heard, absl::Notification* done)
      : bomb_(std::move(bomb)), heard_(*heard), done_(done) {}
  Task<> On(Plain) {
    heard_ = (co_await bomb_.Ask(Plain{}, absl::InfiniteDuration())).status();
    done_->Notify();
  }
  Task<> On(Coroutine) {
    heard_ =
        (co_await bomb_.Ask(Coroutine{}, absl::InfiniteDuration())).status();
    done_->Notify();
  }

 private:
  Ref<Bomb> bomb_;
  absl::Status& heard_;
  absl::Notification* done_;
};

// Counts, undisturbed.
class Neighbour : public Actor {
 public:
  Neighbour(int expected, absl::Notification* done)
      : missing_(expected), done_(done) {}
  void On(const Ping&) {
    if (--missing_ == 0) done_->Notify();
  }

 private:
  int missing_;
  absl::Notification* done_;
};

using ContainmentTest = BusFixture;
TROLLEY_FOR_EACH_BUS(ContainmentTest);

TEST_P(ContainmentTest, P8_AThrowEndsItsActorAndNothingElse) {
  Bus& bus = Start();
  int expected_lines = 0;
  for (Where where :
       {Where::kOnStart, Where::kHandler, Where::kBeforeSuspension,
        Where::kAfterSuspension, Where::kInnerTask, Where::kOnStop,
        Where::kBackground, Where::kBackgroundLater, Where::kBackgroundError}) {
    SCOPED_TRACE(static_cast<int>(where));
    absl::Notification gone, undisturbed;
    auto neighbour =
        *bus.Spawn<Neighbour>({.loop = LoopAt(1)}, 100, &undisturbed);
    auto bomb =
        *bus.Spawn<Bomb>({.name = "the/bomb", .loop = LoopAt(1)}, where, &gone);
    for (int i = 0; i < 50; ++i) neighbour.Tell(Ping{});
    bool asked = true;
    absl::Notification done;
    absl::Status heard;
    auto asker = *bus.Spawn<Asker>({.loop = LoopAt(2)}, bomb, &heard, &done);
    if (where == Where::kHandler) {
      asker.Tell(Plain{});
    } else if (where == Where::kBeforeSuspension ||
               where == Where::kAfterSuspension || where == Where::kInnerTask) {
      asker.Tell(Coroutine{});
    } else {
      asked = false;
      if (where == Where::kOnStop) bomb.Stop();
    }
    if (asked) {
      Await(done);
      EXPECT_EQ(heard.code(), absl::StatusCode::kInternal) << heard;
      EXPECT_THAT(std::string(heard.message()), HasSubstr("bang"));
      EXPECT_THAT(std::string(heard.message()), HasSubstr("the/bomb"));
    }
    Await(gone);
    for (int i = 0; i < 50; ++i) neighbour.Tell(Ping{});
    Await(undisturbed);
    Look();  // the end of the bomb is over
    EXPECT_EQ(bomb.Tell(Plain{}), Delivery::kGone);
    EXPECT_EQ(log().Count({"the/bomb", "bang"}), ++expected_lines);
    EXPECT_FALSE(bus.Find<Bomb>("the/bomb").ok());
  }
  const ShutdownReport report = bus.Shutdown(absl::Seconds(60));
  EXPECT_TRUE(report.clean) << report.ToString();
  EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
  EXPECT_EQ(report.ledger.failed, 4u);
}

TEST_P(ContainmentTest, P8_AThrowDeadLettersWhatWasQueued) {
  Bus& bus = Start();
  absl::Notification gone;
  auto bomb = *bus.Spawn<Bomb>({.loop = 0}, Where::kAfterSuspension, &gone);
  bomb.Tell(Coroutine{});
  for (int i = 0; i < 20; ++i) bomb.Tell(Plain{});
  Await(gone);
  const ShutdownReport report = bus.Shutdown(absl::Seconds(60));
  EXPECT_EQ(report.ledger.failed, 1u);
  EXPECT_EQ(report.ledger.handled, 0u);
  EXPECT_EQ(report.ledger.dead_lettered + report.ledger.refused, 20u);
  EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
}

// An error is no throw: counted as failed, and life goes on.
class Careful : public Actor {
 public:
  absl::Status On(const Ping&) { return absl::DataLossError("not today"); }
};

TEST_P(ContainmentTest, P8_AnErrorReturnedIsCountedAndEndsNoActor) {
  Bus& bus = Start();
  auto careful = *bus.Spawn<Careful>({});
  for (int i = 0; i < 10; ++i) careful.Tell(Ping{});
  const ShutdownReport report = bus.Shutdown(absl::Seconds(60));
  EXPECT_TRUE(report.clean);
  EXPECT_EQ(report.ledger.failed, 10u);
  EXPECT_EQ(report.ledger.dead_lettered, 0u);
}

TEST_P(ContainmentTest, P8_EveryThrowIsCounted) {
  const int throws = GetRunOptions().Scale(500, 100'000);
  Bus& bus = Start();
  for (int i = 0; i < throws; ++i) {
    absl::Notification gone;
    auto bomb = *bus.Spawn<Bomb>({}, Where::kHandler, &gone);
    bomb.Tell(Plain{});
    Await(gone);
  }
  EXPECT_EQ(bus.Shutdown(absl::Seconds(60)).ledger.failed,
            static_cast<uint64_t>(throws));
  // A few of the many are in the log, and how many there were.
  const LogCounts counts = StateOf(bus)->log().counts();
  EXPECT_GE(log().Count({"bang"}), 10);
  EXPECT_GE(log().Count({"of this kind were left out: "}), 1);
  EXPECT_GE(counts.written + counts.left_out, static_cast<uint64_t>(throws));
  EXPECT_EQ(counts.dropped + counts.failed, 0u);
}

}  // namespace
}  // namespace trolley
