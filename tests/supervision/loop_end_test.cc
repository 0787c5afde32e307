// SPDX-License-Identifier: Apache-2.0
//
// The loop of a child ends, because its poller broke. No restart is possible
// there, so the supervisor escalates.

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/poller/pollers.h"
#include "trolley/tests/bus/ask_until.h"

namespace trolley {
namespace {

// A poller over another one; it breaks when `broken` is set.
class Breakable final : public Poller {
 public:
  Breakable(std::unique_ptr<Poller> under, const std::atomic<bool>* broken)
      : under_(std::move(under)), broken_(*broken) {}

  absl::Status Add(int fd, Token token, Interest interest) override {
    return under_->Add(fd, token, interest);
  }
  absl::Status Modify(int fd, Token token, Interest interest) override {
    return under_->Modify(fd, token, interest);
  }
  absl::Status Remove(int fd, Token token) override {
    return under_->Remove(fd, token);
  }
  absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                  Instant deadline) override {
    if (broken_) return absl::InternalError("broken by the test");
    return under_->Wait(events, deadline);
  }
  void Wake() override { under_->Wake(); }
  const Capabilities& capabilities() const override {
    return under_->capabilities();
  }

 private:
  const std::unique_ptr<Poller> under_;
  const std::atomic<bool>& broken_;
};

struct Break {};
struct Echo {};

class Breaker : public Actor {
 public:
  explicit Breaker(std::atomic<bool>* broken) : broken_(*broken) {}
  void On(const Break&) { broken_ = true; }
  void On(const Echo&) {}

 private:
  std::atomic<bool>& broken_;
};

TEST(LoopEndTest, P20_ASupervisorEscalatesWhenTheLoopOfAChildHasEnded) {
  for (const Restart restart :
       {Restart::kAlways, Restart::kOnFailure, Restart::kNever}) {
    std::atomic<bool> broken = false;
    BusOptions options;
    options.loops.resize(2);
    options.loops[1].factory =
        [&](Sys& sys,
            const Clock& clock) -> absl::StatusOr<std::unique_ptr<Poller>> {
      auto under = CreatePoller("epoll", sys, clock);
      if (!under.ok()) return under.status();
      return std::make_unique<Breakable>(*std::move(under), &broken);
    };
    options.log = [](absl::string_view) {};
    const auto bus = *Bus::Create(options);
    const auto app = *bus->Spawn<Supervisor>(
        {.name = "app", .loop = 0},
        SupervisorOptions{.backoff = {.first = absl::ZeroDuration()}},
        std::vector<ChildSpec>{
            Child<Breaker>({.name = "a", .loop = 1, .restart = restart},
                           &broken),
            Child<Breaker>({.name = "b"}, &broken)});
    ASSERT_EQ(app.AskAndWait(AwaitUp{}, absl::InfiniteDuration()),
              absl::OkStatus());
    const Ref<Breaker> a = *bus->Find<Breaker>("app/a");
    ExitReason reason;
    absl::Notification app_ended, a_ended;
    app.address().WhenEnded([&](const ActorEnd& end) {
      reason = end.reason;
      app_ended.Notify();
    });
    a.address().WhenEnded([&](const ActorEnd&) { a_ended.Notify(); });
    a.Tell(Break{});
    a_ended.WaitForNotification();
    if (restart == Restart::kNever) {
      // It is not restarted, so it does not matter.
      const auto children = AskUntil(
          [&] {
            return app.AskAndWait(GetChildren{}, absl::InfiniteDuration());
          },
          [](const auto& got) {
            return !got.ok() || (*got)[0].state == ChildState::kEnded;
          });
      ASSERT_TRUE(children.ok()) << children.status();
      EXPECT_EQ((*children)[0].last_exit.kind, ExitReason::Kind::kLoopEnded);
      EXPECT_EQ((*children)[1].state, ChildState::kUp);
    } else {
      app_ended.WaitForNotification();
      EXPECT_EQ(reason.kind, ExitReason::Kind::kFailed);
      EXPECT_TRUE(absl::StrContains(reason.error.message(), "loop 1 has ended"))
          << reason.error;
      EXPECT_FALSE(bus->FindAddress("app/b").ok());
    }
    bus->Shutdown(absl::Seconds(10));
  }
}

}  // namespace
}  // namespace trolley
