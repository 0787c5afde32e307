// SPDX-License-Identifier: Apache-2.0
//
// ExitCodeOf, and what a PhasesReport says.

#include "trolley/actors/behaviour/exit_codes.h"

#include <cstdlib>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/behaviour/phases_report.h"

namespace trolley {
namespace {

using Kind = ExitReason::Kind;

ShutdownReport Clean() {
  ShutdownReport report;
  report.clean = true;
  return report;
}

PhaseActor Ended(PhaseEnd end, ExitReason reason) {
  PhaseActor actor;
  actor.name = "a";
  actor.end = end;
  actor.reason = std::move(reason);
  return actor;
}

int CodeOf(const PhaseActor& actor) {
  PhasesReport report;
  report.bus = Clean();
  report.phases.emplace_back().actors.push_back(actor);
  EXPECT_EQ(report.clean(), report.phases[0].clean());
  return report.ExitCode();
}

TEST(ExitCodesTest, TheCodesDiffer) {
  const std::set<int> codes = {ExitCodes::kClean,    ExitCodes::kAbandoned,
                               ExitCodes::kNotQuiet, ExitCodes::kLate,
                               ExitCodes::kFailed,   ExitCodes::kSurvived,
                               ExitCodes::kStuck,    EXIT_FAILURE};
  EXPECT_EQ(codes.size(), 8u);
}

TEST(ExitCodesTest, OfABus) {
  ShutdownReport report = Clean();
  EXPECT_EQ(ExitCodeOf(report), 0);
  report.abandoned = 1;
  EXPECT_EQ(ExitCodeOf(report), ExitCodes::kAbandoned);
  report.clean = false;
  EXPECT_EQ(ExitCodeOf(report), ExitCodes::kNotQuiet);
  report.survivors = {"web on loop 1"};
  EXPECT_EQ(ExitCodeOf(report), ExitCodes::kStuck);
}

TEST(ExitCodesTest, OfAnActorOfAPhase) {
  const ExitReason drained{.kind = Kind::kDrained};
  const ExitReason stopped{.kind = Kind::kStopped};
  const ExitReason ended{.kind = Kind::kBusEnded};
  const ExitReason threw{.kind = Kind::kFailed,
                         .error = absl::InternalError("disk full")};
  EXPECT_EQ(CodeOf(Ended(PhaseEnd::kBefore, stopped)), 0);
  EXPECT_EQ(CodeOf(Ended(PhaseEnd::kBefore, threw)), 0);
  EXPECT_EQ(CodeOf(Ended(PhaseEnd::kInTime, drained)), 0);
  EXPECT_EQ(CodeOf(Ended(PhaseEnd::kInTime, threw)), ExitCodes::kFailed);
  EXPECT_EQ(CodeOf(Ended(PhaseEnd::kStopped, stopped)), ExitCodes::kLate);
  EXPECT_EQ(CodeOf(Ended(PhaseEnd::kStopped, threw)), ExitCodes::kFailed);
  EXPECT_EQ(CodeOf(Ended(PhaseEnd::kSurvived, {})), ExitCodes::kSurvived);
  EXPECT_EQ(CodeOf(Ended(PhaseEnd::kSurvived, threw)), ExitCodes::kSurvived);
  EXPECT_EQ(CodeOf(Ended(PhaseEnd::kNoTime, ended)), ExitCodes::kLate);
}

TEST(ExitCodesTest, TheHighestCounts) {
  PhasesReport report;
  report.bus = Clean();
  report.bus.abandoned = 1;
  PhaseReport& first = report.phases.emplace_back();
  first.actors.push_back(Ended(PhaseEnd::kSurvived, {}));
  first.actors.push_back(Ended(PhaseEnd::kStopped, {}));
  report.phases.emplace_back().actors.push_back(Ended(PhaseEnd::kInTime, {}));
  EXPECT_EQ(report.ExitCode(), ExitCodes::kSurvived);
  report.bus.survivors = {"web on loop 1"};
  EXPECT_EQ(report.ExitCode(), ExitCodes::kStuck);
}

TEST(PhasesReportTest, ALineForEachPhase) {
  PhasesReport report;
  report.bus = Clean();
  report.took = absl::Seconds(3);
  PhaseReport& web = report.phases.emplace_back();
  web.name = "web";
  web.took = absl::Seconds(2);
  web.dead_lettered = 3;
  PhaseActor survivor = Ended(PhaseEnd::kSurvived, {});
  survivor.state = "stuck";
  survivor.depth = 3;
  survivor.handled = 17;
  web.actors = {Ended(PhaseEnd::kInTime, {.kind = Kind::kDrained}), survivor,
                Ended(PhaseEnd::kStopped,
                      {.kind = Kind::kFailed,
                       .error = absl::InternalError("OnStop threw: disk")})};
  report.phases.emplace_back().name = "empty";
  EXPECT_EQ(report.ToString(),
            absl::StrCat("not clean, exit code 14, took 3s\n"
                         "phase web: took 2s; of 3 actors 1 ended in time, 1 "
                         "stopped, 1 survived; dead letters 3: a (survived, "
                         "stuck, depth 3, handled 17), a (stopped, OnStop "
                         "threw: disk)\n"
                         "phase empty: took 0; no actors\n"
                         "bus: ",
                         report.bus.ToString()));
}

TEST(PhasesReportTest, ALineNamesAFewActors) {
  PhaseReport phase;
  phase.name = "web";
  for (int i = 0; i < 20; ++i) {
    phase.actors.push_back(Ended(PhaseEnd::kStopped, {}));
    phase.actors.back().name = absl::StrCat("actor", i);
  }
  const std::string text = phase.ToString();
  EXPECT_TRUE(absl::StrContains(text, "actor7 (stopped), 12 more")) << text;
  EXPECT_FALSE(absl::StrContains(text, "actor8")) << text;
}

}  // namespace
}  // namespace trolley
