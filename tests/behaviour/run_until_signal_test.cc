// SPDX-License-Identifier: Apache-2.0
//
// RunUntilSignal, in a program of its own.

#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/behaviour/program.h"
#include "trolley/actors/behaviour/exit_codes.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley {
namespace {

// It ends by itself after the first signal.
void ExpectCleanEnd(Program& program) {
  EXPECT_EQ(program.ReadLine(), "before");
  EXPECT_EQ(program.ReadLine(), "drains");
  const std::string end = program.ReadLine();
  EXPECT_TRUE(absl::StartsWith(end, "ended: clean, took ")) << end;
  EXPECT_EQ(program.ReadLine(), "");
  EXPECT_EQ(program.Finish(), 0);
}

TEST(RunUntilSignalTest, TheFirstSignalShutsTheBusDown) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Program program({"until", "inf", "inf"});
    ASSERT_EQ(program.ReadLine(), "ready");
    program.Signal(signal);
    EXPECT_EQ(program.ReadLine(), absl::StrCat("ending: ", strsignal(signal)));
    ExpectCleanEnd(program);
  }
}

TEST(RunUntilSignalTest, ASignalThatWasIgnoredEndsItToo) {
  Program program({"until", "inf", "inf", "ignore"});
  ASSERT_EQ(program.ReadLine(), "ready");
  program.Signal(SIGINT);
  EXPECT_EQ(program.ReadLine(), "ending: Interrupt");
  ExpectCleanEnd(program);
}

TEST(RunUntilSignalTest, TheSecondSignalEndsTheProcessAtOnce) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Program program({"until", "inf", "0", "hang"});
    ASSERT_EQ(program.ReadLine(), "ready");
    program.Signal(SIGTERM);
    EXPECT_EQ(program.ReadLine(), "ending: Terminated");
    EXPECT_EQ(program.ReadLine(), "before");
    EXPECT_EQ(program.ReadLine(), "drains");
    program.Signal(signal);
    EXPECT_EQ(program.ReadLine(), "");
    EXPECT_EQ(program.Finish(), -signal);
  }
}

// timeout(1) sends each signal twice.
TEST(RunUntilSignalTest, ASecondSignalThatComesTooSoonIsThatOfBefore) {
  Program program({"until", "inf", "inf"});
  ASSERT_EQ(program.ReadLine(), "ready");
  for (int i = 0; i < 10; ++i) program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "ending: Terminated");
  ExpectCleanEnd(program);
}

TEST(RunUntilSignalTest, AShutdownThatIsNotCleanHasAnExitCodeOfItsOwn) {
  Program program({"until", "1ms", "inf", "stuck"});
  ASSERT_EQ(program.ReadLine(), "ready");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "ending: Terminated");
  EXPECT_EQ(program.ReadLine(), "before");
  EXPECT_EQ(program.ReadLine(), "drains");
  std::string end = program.ReadLine();
  EXPECT_TRUE(absl::StartsWith(end, "ended: not clean, took ")) << end;
  EXPECT_EQ(program.ReadLine(), "still running: worker on loop 1");
  EXPECT_EQ(program.Finish(), ExitCodes::kStuck);
}

TEST(RunUntilSignalTest, ItRunsPhases) {
  Program program({"until", "inf", "inf", "phases"});
  ASSERT_EQ(program.ReadLine(), "ready");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "ending: Terminated");
  EXPECT_EQ(program.ReadLine(), "before");
  std::string line = program.ReadLine();
  EXPECT_TRUE(absl::StartsWith(line, "ended: clean, exit code 0, took "))
      << line;
  line = program.ReadLine();
  EXPECT_TRUE(absl::StartsWith(line, "phase workers: took ")) << line;
  EXPECT_TRUE(absl::EndsWith(line, "; of 1 actors 1 ended in time")) << line;
  line = program.ReadLine();
  EXPECT_TRUE(absl::StartsWith(line, "bus: clean, took ")) << line;
  EXPECT_EQ(program.Finish(), ExitCodes::kClean);
}

TEST(RunUntilSignalTest, PhasesWithoutTimeHaveAnExitCodeOfTheirOwn) {
  Program program({"until", "0", "inf", "phases"});
  ASSERT_EQ(program.ReadLine(), "ready");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "ending: Terminated");
  EXPECT_EQ(program.ReadLine(), "before");
  // The log has a line of its own, and the actors may hear of the end.
  std::string line = program.ReadLine();
  while (!line.empty() && !absl::StartsWith(line, "ended: ")) {
    line = program.ReadLine();
  }
  EXPECT_TRUE(absl::StartsWith(line, "ended: not clean, exit code 12")) << line;
  EXPECT_EQ(program.Finish(), ExitCodes::kLate);
}

TEST(RunUntilSignalTest, ItEndsWithAnActor) {
  Program program({"until", "inf", "inf", "actor"});
  ASSERT_EQ(program.ReadLine(), "ready");
  EXPECT_EQ(program.Finish(), 0);  // the end of its input ends the actor
  EXPECT_EQ(program.ReadLine(), "ending: worker has ended");
  EXPECT_EQ(program.ReadLine(), "before");
  const std::string end = program.ReadLine();
  EXPECT_TRUE(absl::StartsWith(end, "ended: clean, took ")) << end;
}

TEST(RunUntilSignalTest, ASignalEndsItAlthoughItWaitsForAnActor) {
  Program program({"until", "inf", "inf", "actor"});
  ASSERT_EQ(program.ReadLine(), "ready");
  program.Signal(SIGINT);
  EXPECT_EQ(program.ReadLine(), "ending: Interrupt");
  EXPECT_EQ(program.ReadLine(), "before");
  EXPECT_EQ(program.ReadLine(), "drains");
  const std::string end = program.ReadLine();
  EXPECT_TRUE(absl::StartsWith(end, "ended: clean, took ")) << end;
  EXPECT_EQ(program.Finish(), 0);
}

TEST(RunUntilSignalTest, ASignalThatCannotBeCaughtEndsItAtOnceWithTheReason) {
  Program program({"until", "inf", "inf", "bad"});
  std::string line = program.ReadLine();
  if (line == "ready") line = program.ReadLine();
  EXPECT_TRUE(absl::StartsWith(
      line, "ending, cannot wait for signals: INVALID_ARGUMENT: signal 9"))
      << line;
  EXPECT_EQ(program.ReadLine(), "before");
  std::string end = program.ReadLine();
  while (end == "drains" || end == "ready") end = program.ReadLine();
  EXPECT_TRUE(absl::StartsWith(end, "ended: ")) << end;
  EXPECT_EQ(program.Finish(), 1);
}

// --- P17 ---------------------------------------------------------------------

// The shutdown hangs, so it ends at its deadline or never.
TEST(RunUntilSignalExtremes, P17_Deadline) {
  ForEachExtreme(
      "actors/behaviour/run_until_signal.h RunUntilSignalOptions::deadline",
      [](const Extreme& e) {
        Program program(
            {"until", absl::FormatDuration(e.value), "inf", "hang"});
        ASSERT_EQ(program.ReadLine(), "ready");
        program.Signal(SIGTERM);
        EXPECT_EQ(program.ReadLine(), "ending: Terminated");
        EXPECT_EQ(program.ReadLine(), "before");
        std::string end = program.ReadLine();
        if (!e.soon()) {  // it waits; the test kills it
          EXPECT_EQ(end, "drains");
          return;
        }
        // Without any time the actors may hear of the end only.
        if (end == "drains") end = program.ReadLine();
        EXPECT_TRUE(absl::StartsWith(end, "ended: not clean, took ")) << end;
        EXPECT_EQ(program.Finish(), ExitCodes::kNotQuiet);
      });
}

void ExpectSecond(const Extreme& e) {
  Program program({"until", "inf", absl::FormatDuration(e.value), "hang"});
  ASSERT_EQ(program.ReadLine(), "ready");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "ending: Terminated");
  EXPECT_EQ(program.ReadLine(), "before");
  EXPECT_EQ(program.ReadLine(), "drains");
  program.Signal(SIGTERM);
  if (!e.soon()) return;  // it is as if there were none; the test kills it
  EXPECT_EQ(program.ReadLine(), "");
  EXPECT_EQ(program.Finish(), -SIGTERM);
}

TEST(RunUntilSignalExtremes, P17_SecondAfter) {
  ForEachExtreme(
      "actors/behaviour/run_until_signal.h RunUntilSignalOptions::second_after",
      ExpectSecond);
  ForEachExtreme(
      "actors/behaviour/internal/signal_catcher.h EndProcessFrom(at)",
      ExpectSecond);
}

}  // namespace
}  // namespace trolley
