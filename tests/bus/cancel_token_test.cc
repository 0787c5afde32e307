// SPDX-License-Identifier: Apache-2.0
//
// A handler with a CancelToken is told that its message has become useless, and
// ends in its own way (actors/cancel_token.h). In virtual time.

#include "trolley/actors/cancel_token.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SimBus;

using Lines = std::vector<std::string>;

struct Work {
  absl::Duration grace;
  absl::Duration cleanup;
};
struct WaitForIt {};
struct Twice {};
struct NoCoroutine {};
struct Lend {};
struct InTheBackground {};
struct Ping {};

class Helper : public Actor {
 public:
  int On(const Ping&) { return 1; }
};

// Works until it is told, then cleans up. Its lines are "told", "clean" and
// "gone".
class Worker : public Actor {
 public:
  Worker(Lines* lines, Ref<Helper> helper) : lines_(lines), helper_(helper) {}

  Task<absl::Status> On(Work m) {
    const Gone gone(lines_);
    CancelToken cancelled(context(), m.grace);
    while (!cancelled.requested()) co_await Sleep(absl::Milliseconds(100));
    lines_->push_back("told");
    co_await Sleep(m.cleanup);
    absl::StatusOr<int> reply =
        co_await helper_.Ask(Ping{}, absl::InfiniteDuration());
    lines_->push_back(reply.ok() ? "clean" : reply.status().ToString());
    co_return absl::CancelledError("rolled back");
  }
  Task<absl::Status> On(WaitForIt) {
    CancelToken cancelled(context(), absl::Seconds(1));
    const Instant began = context().Now();
    co_await cancelled.Requested();
    co_await cancelled.Requested();  // told already: does not wait
    lines_->push_back(absl::StrCat(
        "told after ", absl::FormatDuration(context().Now() - began)));
    co_return absl::OkStatus();
  }
  Task<absl::Status> On(Twice) {
    CancelToken one(context(), absl::Seconds(1));
    CancelToken two(context(), absl::Seconds(1));
    co_return absl::OkStatus();
  }
  // A task awaits the token of this handler.
  Task<absl::Status> On(Lend) {
    CancelToken mine(context(), absl::Seconds(1));
    RunInBackground([&mine]() -> Task<absl::Status> {
      co_await mine.Requested();
      co_return absl::OkStatus();
    });
    co_await Sleep(absl::Hours(1));
    co_return absl::OkStatus();
  }
  void On(const NoCoroutine&) { CancelToken(context(), absl::Seconds(1)); }
  void On(const InTheBackground&) {
    RunInBackground([this]() -> Task<absl::Status> {
      CancelToken never(context(), absl::Seconds(1));
      co_await Sleep(absl::Hours(1));
      lines_->push_back(never.requested() ? "told" : "not told");
      co_return absl::OkStatus();
    });
  }
  void On(const Ping&) { lines_->push_back("ping"); }

 private:
  struct Gone {
    explicit Gone(Lines* lines) : lines(lines) {}
    ~Gone() { lines->push_back("gone"); }
    Lines* lines;
  };

  Lines* const lines_;
  const Ref<Helper> helper_;
};

struct AskAndDrop {
  Ref<Worker> worker;
  absl::Duration after;
};
class Asker : public Actor {
 public:
  Task<absl::Status> On(AskAndDrop m) {
    auto ask = m.worker.Ask<Work>(absl::Hours(1), absl::Seconds(2),
                                  absl::Milliseconds(500));
    co_await Sleep(m.after);
    co_return absl::OkStatus();  // the ask is dropped here
  }
};

class CancelTokenTest : public ::testing::TestWithParam<int> {
 protected:
  CancelTokenTest() : sim_({.loops = GetParam()}) {
    const Ref<Helper> helper = sim_.Spawn<Helper>({.loop = GetParam() - 1});
    worker_ =
        sim_.Spawn<Worker>({.name = "worker", .loop = 0}, &lines_, helper);
    asker_ = sim_.Spawn<Asker>({.loop = GetParam() - 1});
  }

  SimBus sim_;
  Lines lines_;
  Ref<Worker> worker_;
  Ref<Asker> asker_;
};

TEST_P(CancelTokenTest, P6_AHandlerIsToldWhenItsDeadlineHasPassed) {
  const absl::Status late =
      sim_.Ask(worker_, Work{absl::Seconds(2), absl::Milliseconds(500)},
               absl::Seconds(1));
  EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded);
  sim_.RunFor(absl::Milliseconds(400));
  EXPECT_THAT(lines_, ElementsAre("told"));
  sim_.RunFor(absl::Seconds(9));
  EXPECT_THAT(lines_, ElementsAre("told", "clean", "gone"));
  // It has ended by itself, with an error.
  EXPECT_EQ(sim_.ledger().failed, 1u);
  EXPECT_EQ(sim_.ledger().expired, 0u);
  worker_.Tell(Ping{});
  sim_.RunUntilIdle();
  EXPECT_EQ(lines_.back(), "ping");
}

TEST_P(CancelTokenTest, P6_AHandlerIsToldWhenItsAskerNoLongerWaits) {
  sim_.Ask(asker_, AskAndDrop{worker_, absl::Seconds(3)}, absl::Seconds(9))
      .IgnoreError();
  sim_.RunFor(absl::Milliseconds(200));
  EXPECT_THAT(lines_, ElementsAre("told"));
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(lines_, ElementsAre("told", "clean", "gone"));
}

TEST_P(CancelTokenTest, P6_WhenTheGraceIsOverTheHandlerIsCancelled) {
  for (const absl::Duration grace :
       {absl::Seconds(2), absl::ZeroDuration(), -absl::Seconds(1)}) {
    SCOPED_TRACE(absl::FormatDuration(grace));
    lines_.clear();
    const uint64_t before = sim_.ledger().expired;
    sim_.Ask(worker_, Work{grace, absl::Hours(1)}, absl::Seconds(1))
        .IgnoreError();
    if (grace > absl::ZeroDuration()) {
      sim_.RunFor(grace - absl::Milliseconds(1));
      EXPECT_THAT(lines_, ElementsAre("told"));
    }
    sim_.RunFor(absl::Milliseconds(50));
    EXPECT_EQ(lines_.back(), "gone");
    EXPECT_EQ(sim_.ledger().expired - before, 1u);
  }
}

// The place of the message is held for the grace, and no longer.
TEST_P(CancelTokenTest, P6_AnInfiniteGraceLastsUntilTheHandlerReturns) {
  sim_.Ask(worker_, Work{absl::InfiniteDuration(), absl::Hours(5)},
           absl::Seconds(1))
      .IgnoreError();
  sim_.RunFor(absl::Hours(4));
  EXPECT_THAT(lines_, ElementsAre("told"));
  sim_.RunFor(absl::Hours(2));
  EXPECT_THAT(lines_, ElementsAre("told", "clean", "gone"));
}

TEST_P(CancelTokenTest, P6_ACoroutineCanWaitToBeTold) {
  sim_.Ask(worker_, WaitForIt{}, absl::Seconds(1)).IgnoreError();
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("told after 1")));
}

TEST_P(CancelTokenTest, P6_TheEndOfTheActorEndsAHandlerWithAToken) {
  worker_.Tell(Work{absl::InfiniteDuration(), absl::Hours(1)});
  sim_.RunFor(absl::Seconds(1));
  worker_.Stop();
  sim_.RunUntilIdle();
  EXPECT_THAT(lines_, ElementsAre("gone"));
}

TEST_P(CancelTokenTest, ATaskIsNeverTold) {
  worker_.Tell(InTheBackground{});
  sim_.RunFor(absl::Hours(2));
  EXPECT_THAT(lines_, ElementsAre("not told"));
}

TEST_P(CancelTokenTest, ATokenThatCannotBeEndsTheActor) {
  EXPECT_THAT(
      std::string(sim_.Ask(worker_, Twice{}, absl::Seconds(1)).message()),
      HasSubstr("one CancelToken at a time"));
  const Ref<Worker> other = sim_.Spawn<Worker>({}, &lines_, Ref<Helper>());
  EXPECT_THAT(
      std::string(sim_.Ask(other, NoCoroutine{}, absl::Seconds(1)).message()),
      HasSubstr("works in a coroutine handler only"));
  const Ref<Worker> lender = sim_.Spawn<Worker>({}, &lines_, Ref<Helper>());
  EXPECT_THAT(std::string(sim_.Ask(lender, Lend{}, absl::Seconds(1)).message()),
              HasSubstr("awaited by its own handler"));
  EXPECT_THAT(lines_, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Loops, CancelTokenTest, ::testing::Values(1, 2),
                         [](const auto& info) {
                           return info.param == 1 ? "OneLoop" : "TwoLoops";
                         });

}  // namespace
}  // namespace trolley
