// SPDX-License-Identifier: Apache-2.0
//
// Each length of time of supervision, at its extremes.

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/supervision/supervisor.h"
#include "trolley/tests/poller/extreme_durations.h"
#include "trolley/tests/supervision/supervision_fixture.h"

namespace trolley {
namespace {

using SupervisionExtremes = SupervisionTest;

// A day is long enough to tell soon from never.
constexpr absl::Duration kDay = absl::Hours(24);

TEST_F(SupervisionExtremes, BackoffFirst) {
  ForEachExtreme(
      "actors/supervision/supervisor_options.h Backoff::first",
      [&](const Extreme& e) {
        Begin(1, std::nullopt);
        Spawn("app",
              {.backoff = {.first = e.value, .most = absl::InfiniteDuration()}},
              {Worker("a")});
        Take();
        Tell("app/a", Crash{});
        sim().RunFor(kDay);
        EXPECT_EQ(Take(), e.soon() ? "-a +a" : "-a");
      });
}

TEST_F(SupervisionExtremes, BackoffMost) {
  ForEachExtreme("actors/supervision/supervisor_options.h Backoff::most",
                 [&](const Extreme& e) {
                   Begin(1, std::nullopt);
                   Spawn("app",
                         {.backoff = {.first = absl::Seconds(1),
                                      .most = e.value,
                                      .jitter = 0}},
                         {Worker("a")});
                   Take();
                   Tell("app/a", Crash{});
                   sim().RunFor(kDay);
                   EXPECT_EQ(TakeTimed(), !e.positive() ? "-a@0 +a@0"
                                          : e.soon()    ? "-a@0 +a@1e-09"
                                                        : "-a@0 +a@1");
                 });
}

TEST_F(SupervisionExtremes, Within) {
  ForEachExtreme(
      "actors/supervision/supervisor_options.h SupervisorOptions::within",
      [&](const Extreme& e) {
        Begin(1, std::nullopt);
        const Ref<Supervisor> app =
            Spawn("app", {.max_restarts = 1, .within = e.value}, {Worker("a")});
        Tell("app/a", Crash{});
        sim().RunFor(kDay);
        Tell("app/a", Crash{});
        EXPECT_EQ(EndOf(app.address()).kind, e.soon()
                                                 ? ExitReason::Kind::kUnknown
                                                 : ExitReason::Kind::kFailed);
      });
}

TEST_F(SupervisionExtremes, Patience) {
  // Nobody is stuck here: each patience gives the same.
  ForEachExtreme(
      "actors/supervision/supervisor_options.h SupervisorOptions::patience",
      [&](const Extreme& e) {
        Begin(1, std::nullopt);
        const Ref<Supervisor> app =
            Spawn("app", {.patience = e.value},
                  {Worker("a", {.stop_within = absl::ZeroDuration()})});
        Tell("app/a", Hold{absl::InfiniteDuration()});
        Take();
        app.Tell(StopTree{});
        sim().RunFor(kDay);
        EXPECT_EQ(TakeTimed(), "-a@0");
        EXPECT_EQ(EndOf(app.address()).kind, ExitReason::Kind::kStopped);
      });
}

TEST_F(SupervisionExtremes, StopWithin) {
  ForEachExtreme("actors/supervision/child_spec.h ChildOptions::stop_within",
                 [&](const Extreme& e) {
                   Begin(1, std::nullopt);
                   const Ref<Supervisor> app = Spawn(
                       "app", {}, {Worker("a", {.stop_within = e.value})});
                   Tell("app/a", Hold{absl::InfiniteDuration()});
                   Take();
                   app.Tell(StopTree{});
                   sim().RunFor(kDay);
                   EXPECT_EQ(Take(), e.soon() ? "-a" : "");
                   EXPECT_EQ(EndOf(app.address()).kind,
                             e.soon() ? ExitReason::Kind::kStopped
                                      : ExitReason::Kind::kUnknown);
                 });
}

}  // namespace
}  // namespace trolley
