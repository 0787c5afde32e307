// SPDX-License-Identifier: Apache-2.0
//
// Every number of the options of a supervisor and of a child at its extremes:
// it works, or is refused by its name. Lengths of time have a test of their
// own.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/supervision/supervision_fixture.h"

namespace trolley {
namespace {

using Code = absl::StatusCode;

class OptionsTest : public SupervisionTest {
 protected:
  // Uses a supervisor up to a restart and to a child more.
  absl::Status UseSupervisor(const SupervisorOptions& options) {
    Begin(/*loops=*/1, std::nullopt);
    const absl::Status valid = ValidateSupervisorOptions(options);
    const Ref<Supervisor> app = Spawn("app", options, {Worker("a")});
    if (!valid.ok()) {
      const ExitReason end = EndOf(app.address());
      EXPECT_EQ(end.kind, ExitReason::Kind::kFailed);
      EXPECT_TRUE(absl::StrContains(end.error.message(), valid.message()))
          << end.error;
      return valid;
    }
    EXPECT_EQ(StatesOf(app), "a up");
    const absl::Status more =
        sim().Ask(app, StartChild{Worker("b")}, absl::Seconds(1)).status();
    EXPECT_EQ(more.code(),
              options.max_children > 1 ? Code::kOk : Code::kResourceExhausted)
        << more;
    Tell("app/a", Crash{});
    sim().RunFor(absl::Seconds(1));  // longer than the backoff
    if (options.max_restarts == 0) {
      EXPECT_EQ(EndOf(app.address()).kind, ExitReason::Kind::kFailed);
    } else {
      EXPECT_TRUE(absl::StartsWith(StatesOf(app), "a up"));
      EXPECT_EQ(ChildOf(app, "a").restarts, 1u);
    }
    return absl::OkStatus();
  }

  // Uses a child up to a message that waited for its restart.
  absl::Status UseChild(ChildOptions options) {
    Begin(/*loops=*/2, std::nullopt);
    const Ref<Supervisor> app =
        Spawn("app", {.max_restarts = 1, .backoff = kAtOnce}, {});
    const absl::Status started =
        sim()
            .Ask(app, StartChild{Worker("a", options)}, absl::Seconds(1))
            .status();
    if (!started.ok()) return started;
    EXPECT_EQ(*sim().Ask(Find("app/a"), Echo{7}, absl::Seconds(1)), 7);
    Take();
    const Ref<TestWorker> a = Find("app/a");
    EXPECT_EQ(a.Tell(Crash{}), Delivery::kAccepted);
    const bool waits = a.Tell(Note{1}) == Delivery::kAccepted;
    EXPECT_EQ(waits, options.mailbox_capacity > 1);
    sim().RunFor(absl::Seconds(1));
    EXPECT_EQ(Take(), waits && options.keep_mailbox ? "-a +a a=1" : "-a +a");
    return absl::OkStatus();
  }
};

TEST_F(OptionsTest, EveryNumberOfASupervisor) {
  AtExtremes<SupervisorOptions>(
      [](SupervisorOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, strategy, max_restarts, within, backoff,
                       patience, max_children);
      },
      [this](const SupervisorOptions& options) {
        return UseSupervisor(options);
      });
}

TEST_F(OptionsTest, EveryFractionOfABackoff) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kMost = std::numeric_limits<double>::max();
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  for (const double value :
       {kNaN, -kInfinity, -kMost, -kLeast, -0.0, 0.0, kLeast, 0.5, 1.0,
        1.0 + 1e-15, Backoff::kMostFactor, Backoff::kMostFactor + 1, kMost,
        kInfinity}) {
    SCOPED_TRACE(value);
    const absl::Status factor = UseSupervisor({.backoff = {.factor = value}});
    EXPECT_EQ(factor.ok(), value >= 1 && value <= Backoff::kMostFactor);
    const absl::Status jitter = UseSupervisor({.backoff = {.jitter = value}});
    EXPECT_EQ(jitter.ok(), value >= 0 && value <= 1);
    for (const absl::Status& status : {factor, jitter}) {
      if (status.ok()) continue;
      EXPECT_EQ(status.code(), Code::kInvalidArgument);
      EXPECT_TRUE(absl::StrContains(status.message(), "backoff.")) << status;
    }
  }
}

// A value that only a cast can make.
TEST_F(OptionsTest, AnEnumeratorThatDoesNotExistIsRefused) {
  const absl::Status strategy =
      UseSupervisor({.strategy = static_cast<Strategy>(7)});
  const absl::Status overflow =
      UseChild({.overflow = static_cast<Overflow>(7)});
  const absl::Status restart = UseChild({.restart = static_cast<Restart>(7)});
  for (const auto& [name, refused] :
       {std::pair("strategy", strategy), std::pair("overflow", overflow),
        std::pair("restart", restart)}) {
    EXPECT_EQ(refused.code(), Code::kInvalidArgument) << name;
    EXPECT_TRUE(absl::StrContains(refused.message(), name)) << refused;
  }
}

TEST_F(OptionsTest, TheMostChildrenThatAreNamedAreTaken) {
  EXPECT_TRUE(UseSupervisor({.max_restarts = SupervisorOptions::kMostRestarts,
                             .max_children = SupervisorOptions::kMostChildren})
                  .ok());
  EXPECT_FALSE(
      UseSupervisor({.max_restarts = SupervisorOptions::kMostRestarts + 1})
          .ok());
  EXPECT_FALSE(
      UseSupervisor({.max_children = SupervisorOptions::kMostChildren + 1})
          .ok());
}

TEST_F(OptionsTest, EveryNumberOfAChild) {
  AtExtremes<ChildOptions>(
      [](ChildOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, name, loop, mailbox_capacity, urgent_reserve,
                       mailbox_bytes, overflow, restart, keep_mailbox,
                       stop_within);
      },
      [this](const ChildOptions& options) { return UseChild(options); });
}

}  // namespace
}  // namespace trolley
