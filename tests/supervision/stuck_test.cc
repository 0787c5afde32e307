// SPDX-License-Identifier: Apache-2.0
//
// A handler that does not return, on a loop with a thread of its own: it cannot
// be ended, so the supervisor says so and goes on.

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/tests/bus/ask_until.h"

namespace trolley {
namespace {

using Code = absl::StatusCode;
constexpr absl::Duration kLong = absl::InfiniteDuration();

// Blocks the thread of its loop until `go_on`.
struct Block {
  absl::Notification* begun;
  absl::Notification* go_on;
};
struct Echo {};
struct Crash {};

class Blocker : public Actor {
 public:
  void On(const Block& m) {
    m.begun->Notify();
    m.go_on->WaitForNotification();
  }
  void On(const Echo&) {}
  void On(const Crash&) { throw std::runtime_error("boom"); }
};

class StuckTest : public ::testing::Test {
 protected:
  // The supervisor lives on loop 0, child "a" on loop 1 and "b" on loop 0. A
  // stuck child is given up at once.
  Ref<Supervisor> Start(Strategy strategy = Strategy::kOneForOne) {
    const auto app = bus_->Spawn<Supervisor>(
        {.name = "app", .loop = 0},
        SupervisorOptions{.strategy = strategy,
                          .backoff = {.first = absl::ZeroDuration()},
                          .patience = absl::ZeroDuration()},
        std::vector<ChildSpec>{
            Child<Blocker>(
                {.name = "a", .loop = 1, .stop_within = absl::ZeroDuration()}),
            Child<Blocker>({.name = "b"})});
    EXPECT_EQ(app->AskAndWait(AwaitUp{}, kLong), absl::OkStatus());
    return *app;
  }
  Ref<Blocker> Find(const std::string& name) {
    return *bus_->Find<Blocker>(name);
  }
  void BlockA() {
    Find("app/a").Tell(Block{&begun_, &go_on_});
    begun_.WaitForNotification();
  }
  static std::vector<ChildInfo> ChildrenOf(const Ref<Supervisor>& app) {
    return app.AskAndWait(GetChildren{}, kLong).value();
  }
  static std::string StatesOf(const Ref<Supervisor>& app) {
    std::string text;
    for (const ChildInfo& child : ChildrenOf(app)) {
      absl::StrAppend(&text, child.name, " ", ChildStateName(child.state), " ");
    }
    return text;
  }
  bool Logged(absl::string_view text) {
    absl::MutexLock lock(&mutex_);
    for (const std::string& line : lines_) {
      if (absl::StrContains(line, text)) return true;
    }
    return false;
  }

  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  absl::Notification begun_, go_on_;
  std::unique_ptr<Bus> bus_ =
      *Bus::Create({.loops = {{}, {}}, .log = [this](absl::string_view line) {
                      absl::MutexLock lock(&mutex_);
                      lines_.emplace_back(line);
                    }});
};

TEST_F(StuckTest, P20_StopChildSaysSoAndTheChildEndsWhenItsHandlerReturns) {
  const Ref<Supervisor> app = Start();
  const Ref<Blocker> a = Find("app/a");
  BlockA();
  EXPECT_EQ(app.AskAndWait(StopChild{"a"}, kLong).code(),
            Code::kDeadlineExceeded);
  EXPECT_EQ(StatesOf(app), "a stuck b up ");
  // Asked again, it says the same; and it cannot start yet.
  EXPECT_EQ(app.AskAndWait(StopChild{"a"}, kLong).code(),
            Code::kDeadlineExceeded);
  EXPECT_EQ(app.AskAndWait(RestartChild{"a"}, kLong).code(),
            Code::kDeadlineExceeded);
  absl::Notification ended;
  a.address().WhenEnded([&](const ActorEnd&) { ended.Notify(); });
  go_on_.Notify();
  ended.WaitForNotification();
  // The supervisor lives on another loop and learns of it soon.
  AskUntil([&] { return StatesOf(app); },
           [](const std::string& states) { return states == "a ended b up "; });
  EXPECT_EQ(app.AskAndWait(RestartChild{"a"}, kLong), absl::OkStatus());
  EXPECT_EQ(StatesOf(app), "a up b up ");
  bus_->Shutdown(absl::Seconds(10));
  EXPECT_TRUE(Logged("app/a is stuck"));
}

TEST_F(StuckTest, P20_AGroupGoesOnWithoutItAndStartsWhenItHasEnded) {
  const Ref<Supervisor> app = Start(Strategy::kOneForAll);
  BlockA();
  Find("app/b").Tell(Crash{});
  // The supervisor stops a and gives it up. Then a has its turn to start.
  AskUntil(
      [&] { return StatesOf(app); },
      [](const std::string& states) { return states == "a stuck b waiting "; });
  go_on_.Notify();
  EXPECT_EQ(app.AskAndWait(AwaitUp{}, kLong), absl::OkStatus());
  EXPECT_EQ(StatesOf(app), "a up b up ");
  for (const ChildInfo& child : ChildrenOf(app)) {
    EXPECT_EQ(child.restarts, 1u) << child.name;
  }
  EXPECT_EQ(Find("app/a").AskAndWait(Echo{}, kLong), absl::OkStatus());
}

TEST_F(StuckTest, P20_TheSupervisorEndsWithoutIt) {
  const Ref<Supervisor> app = Start();
  const Ref<Blocker> a = Find("app/a");
  BlockA();
  absl::Notification ended, a_ended;
  app.address().WhenEnded([&](const ActorEnd&) { ended.Notify(); });
  a.address().WhenEnded([&](const ActorEnd&) { a_ended.Notify(); });
  EXPECT_EQ(app.AskAndWait(StopTree{}, kLong), absl::OkStatus());
  ended.WaitForNotification();
  EXPECT_FALSE(a_ended.HasBeenNotified());
  go_on_.Notify();
  a_ended.WaitForNotification();
  EXPECT_FALSE(bus_->FindAddress("app/a").ok());
}

}  // namespace
}  // namespace trolley
