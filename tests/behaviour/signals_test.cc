// SPDX-License-Identifier: Apache-2.0
//
// Signals over each poller of this machine, in a program of their own.

#include <signal.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/behaviour/program.h"
#include "trolley/tests/bus/bus_form.h"

namespace trolley {
namespace {

std::vector<std::string> Pollers() {
  std::set<std::string> names;
  for (const BusForm& form : ThreadedBusForms()) names.insert(form.poller);
  return {names.begin(), names.end()};
}

class SignalsTest : public ::testing::TestWithParam<std::string> {
 protected:
  // The program has `signals`.
  static std::vector<std::string> Arguments(std::vector<std::string> signals) {
    signals.insert(signals.begin(), {"actor", GetParam()});
    return signals;
  }
};
INSTANTIATE_TEST_SUITE_P(Pollers, SignalsTest, ::testing::ValuesIn(Pollers()),
                         [](const auto& info) { return info.param; });

std::string Do(Program& program, const std::string& command) {
  program.Write(command);
  return program.ReadLine();
}

TEST_P(SignalsTest, EachSignalIsAMessage) {
  Program program(Arguments({"TERM", "INT", "HUP", "CHLD"}));
  ASSERT_EQ(Do(program, "start"), "started");
  for (int i = 0; i < 20; ++i) {
    program.Signal(SIGHUP);
    EXPECT_EQ(program.ReadLine(), "got HUP 1");
    program.Signal(SIGTERM);
    EXPECT_EQ(program.ReadLine(), "got TERM 1");
    program.Signal(SIGINT);
    EXPECT_EQ(program.ReadLine(), "got INT 1");
    program.Signal(SIGCHLD);
    EXPECT_EQ(program.ReadLine(), "got CHLD 1");
  }
  EXPECT_EQ(program.Finish(), 0);
}

// A signal that comes while the message before is handled is told after it, and
// only one message waits.
TEST_P(SignalsTest, ASignalWhileTheLastIsHandledIsNotLost) {
  Program program(Arguments({"HUP", "TERM"}));
  ASSERT_EQ(Do(program, "start"), "started");
  EXPECT_EQ(Do(program, "hold"), "hold");
  program.Signal(SIGHUP);
  EXPECT_EQ(program.ReadLine(), "got HUP 1");
  // The loop takes each HUP before the TERM that is sent after it.
  int caught = 0;
  for (int i = 0; i < 5; ++i) {
    program.Signal(SIGHUP);
    EXPECT_EQ(Do(program, "hold"), "hold");
    ++caught;
  }
  EXPECT_EQ(Do(program, "release"), "release");
  const std::string got = program.ReadLine();
  EXPECT_TRUE(absl::StartsWith(got, "got HUP ")) << got;
  const int times = std::stoi(got.substr(8));
  EXPECT_GE(times, 1);
  EXPECT_LE(times, caught);
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "got TERM 1");
  EXPECT_EQ(program.Finish(), 0);
}

TEST_P(SignalsTest, AfterStopASignalHasItsEffectOfBefore) {
  Program program(Arguments({"TERM"}));
  ASSERT_EQ(Do(program, "start"), "started");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "got TERM 1");
  EXPECT_EQ(Do(program, "stop"), "stopped");
  EXPECT_EQ(Do(program, "start"), "started");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "got TERM 1");
  EXPECT_EQ(Do(program, "stop"), "stopped");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Finish(), -SIGTERM);
}

// The parts of "loop SigBlk=... SigIgn=... SigCgt=...; child SigBlk=..."
std::string ChildOf(const std::string& masks) {
  return std::vector<std::string>(absl::StrSplit(masks, "; child ")).at(1);
}
std::string LoopOf(const std::string& masks) {
  return std::vector<std::string>(absl::StrSplit(masks, "; child ")).at(0);
}

TEST_P(SignalsTest, AProgramThatIsStartedSeesNothingOfIt) {
  Program program(Arguments({"TERM", "INT", "HUP", "CHLD"}));
  const std::string before = Do(program, "signals");
  ASSERT_EQ(Do(program, "start"), "started");
  // The children that it starts now send it SIGCHLD.
  program.Write("signals");
  std::string during = program.ReadLine();
  while (absl::StartsWith(during, "got CHLD")) during = program.ReadLine();
  EXPECT_EQ(ChildOf(during), ChildOf(before));
  EXPECT_NE(LoopOf(during), LoopOf(before));
  EXPECT_TRUE(absl::StrContains(before, "SigBlk=")) << before;
}

TEST_P(SignalsTest, TheEndOfTheActorRestoresAll) {
  Program program(Arguments({"TERM", "INT", "HUP"}));
  const std::string before = Do(program, "signals");
  ASSERT_EQ(Do(program, "start"), "started");
  EXPECT_NE(Do(program, "signals"), before);
  ASSERT_EQ(Do(program, "stop"), "stopped");
  EXPECT_EQ(Do(program, "signals"), before);
  ASSERT_EQ(Do(program, "start"), "started");
  EXPECT_EQ(Do(program, "end"), "ends");
  const std::string after = program.ReadLine();
  // The dispositions belong to the process; the mask is that of main().
  EXPECT_EQ(after.substr(after.find("SigIgn")),
            LoopOf(before).substr(LoopOf(before).find("SigIgn")));
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Finish(), -SIGTERM);
}

// main() has blocked the signals, so all threads block them.
TEST_P(SignalsTest, SignalsThatMainHasBlockedComeToo) {
  Program program(Arguments({"block", "TERM", "HUP"}));
  const std::string before = Do(program, "signals");
  program.Signal(SIGHUP);  // before the start: it is pending
  program.Write("start");
  const std::set<std::string> lines = {program.ReadLine(), program.ReadLine()};
  EXPECT_EQ(lines, (std::set<std::string>{"started", "got HUP 1"}));
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "got TERM 1");
  const std::string during = Do(program, "signals");
  EXPECT_EQ(ChildOf(during), ChildOf(before));
  ASSERT_EQ(Do(program, "stop"), "stopped");
  EXPECT_EQ(Do(program, "signals"), before);
  program.Signal(SIGTERM);  // pending again
  EXPECT_EQ(program.Finish(), 0);
}

TEST_P(SignalsTest, OneActorHasASignal) {
  Program program(Arguments({"TERM"}));
  ASSERT_EQ(Do(program, "start"), "started");
  const std::string second = Do(program, "second");
  EXPECT_TRUE(absl::StartsWith(second, "ALREADY_EXISTS")) << second;
  EXPECT_TRUE(absl::StrContains(second, "SIGTERM")) << second;
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "got TERM 1");
  EXPECT_EQ(Do(program, "stop"), "stopped");
  EXPECT_EQ(Do(program, "second"), "started");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "got TERM 1");
  EXPECT_EQ(program.Finish(), 0);
}

TEST_P(SignalsTest, WithoutADescriptorStartIsAnErrorAndLeavesNothing) {
  Program program(Arguments({"TERM"}));
  const std::string before = Do(program, "signals");
  const std::string starved = Do(program, "starve");
  EXPECT_TRUE(absl::StartsWith(starved, "RESOURCE_EXHAUSTED")) << starved;
  EXPECT_EQ(Do(program, "signals"), before);
  EXPECT_EQ(Do(program, "start"), "started");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "got TERM 1");
}

// A child that was forked and has not called exec.
TEST_P(SignalsTest, AForkedChildHasTheEffectOfBefore) {
  Program program(Arguments({"TERM"}));
  ASSERT_EQ(Do(program, "start"), "started");
  EXPECT_EQ(Do(program, "fork"), absl::StrCat("killed by ", SIGTERM));
  // The actor was not told of the child's.
  program.Signal(SIGTERM);
  EXPECT_EQ(program.ReadLine(), "got TERM 1");
}

}  // namespace
}  // namespace trolley
