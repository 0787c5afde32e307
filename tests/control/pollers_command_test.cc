// SPDX-License-Identifier: Apache-2.0
//
// `trolley pollers`, run as a user runs it, on this machine, and on machines
// that forbid some system calls.

#include <errno.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/control/child.h"
#include "tools/trolley/look_at_pollers.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/poller/pollers.h"

namespace trolley {
namespace {

using test::Exits;
using test::ParseJson;
using test::Result;
using test::RunProgram;
using test::RunTrolley;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr char kForbid[] = "tests/poller/forbid";

const tools::PollerReport::Poller& Of(const tools::PollerReport& report,
                                      const std::string& name) {
  for (const auto& poller : report.pollers()) {
    if (poller.name() == name) return poller;
  }
  ADD_FAILURE() << "no " << name;
  return tools::PollerReport::Poller::default_instance();
}

TEST(PollersCommandTest, NeedsNoServiceAndListsEveryPoller) {
  const Result r = RunTrolley({"pollers", "--measure", "5ms"});
  ASSERT_THAT(r, Exits(0));
  EXPECT_EQ(r.err, "");
  const std::vector<std::string> lines = absl::StrSplit(r.out, '\n');
  EXPECT_THAT(lines[0], MatchesRegex("NAME +AVAILABLE +WAKE_US +LEAST_US "
                                     "+CAPABILITIES +WHY NOT"));
  for (const NamedPoller& poller : BuiltinPollers()) {
    EXPECT_THAT(r.out, HasSubstr("\n" + std::string(poller.name) + " "));
  }
  EXPECT_THAT(r.out, HasSubstr("\nauto takes:  epoll\n"));
  EXPECT_THAT(r.out, HasSubstr("round trip of two threads"));
}

TEST(PollersCommandTest, JsonSaysWhatEachCanDoAndCosts) {
  const Result r = RunTrolley({"pollers", "--measure=5ms", "-o", "json"});
  ASSERT_THAT(r, Exits(0));
  const auto parsed = ParseJson(r.out);
  const auto& pollers = parsed.fields().at("pollers").list_value();
  ASSERT_EQ(pollers.values_size(), BuiltinPollers().size());
  const auto& epoll = pollers.values(0).struct_value().fields();
  EXPECT_EQ(epoll.at("name").string_value(), "epoll");
  EXPECT_TRUE(epoll.at("available").bool_value());
  EXPECT_EQ(epoll.at("capabilities").list_value().values(0).string_value(),
            "edge");
  EXPECT_GT(epoll.at("wake_us").number_value(), 0);
  EXPECT_GE(epoll.at("wake_us").number_value(),
            epoll.at("least_wake_us").number_value());
  EXPECT_GT(epoll.at("least_wake_us").number_value(), 0);
  EXPECT_EQ(parsed.fields()
                .at("auto")
                .struct_value()
                .fields()
                .at("takes")
                .string_value(),
            "epoll");
  const std::vector<std::string> lines = absl::StrSplit(
      RunTrolley({"pollers", "--measure=1ms", "-o", "jsonl"}).out, '\n');
  EXPECT_EQ(lines.size(), BuiltinPollers().size() + 1);
  EXPECT_EQ(ParseJson(lines[2]).fields().at("name").string_value(), "poll");
}

TEST(PollersCommandTest, NeedsDecideWhatAutoTakes) {
  const Result r =
      RunTrolley({"pollers", "--measure=1ms", "--needs", "any_fd,fork_safe"});
  ASSERT_THAT(r, Exits(0));
  EXPECT_THAT(r.out, HasSubstr("auto takes:    busy\n"));
  EXPECT_THAT(r.out,
              HasSubstr("not epoll:     epoll lacks: any_fd, fork_safe\n"));
  const Result none =
      RunTrolley({"pollers", "--measure=1ms", "--needs", "virtual_time"});
  EXPECT_THAT(none, Exits(1));
  EXPECT_THAT(none.out, HasSubstr("auto takes:    none of them\n"));
  EXPECT_THAT(none.err, HasSubstr("no poller has all of virtual_time\nhint: "));
}

TEST(PollersCommandTest, AWrongCommandLineSaysWhatWasMeant) {
  const auto usage = [](const std::vector<std::string>& arguments) {
    const Result r = RunTrolley(arguments);
    EXPECT_THAT(r, Exits(2));
    EXPECT_EQ(r.out, "");
    return r.err;
  };
  EXPECT_THAT(usage({"poller"}), HasSubstr("did you mean pollers?"));
  EXPECT_THAT(usage({"pollers", "epoll"}), HasSubstr("epoll"));
  EXPECT_THAT(usage({"pollers", "-o", "jsno"}), HasSubstr("mean json?"));
  EXPECT_THAT(usage({"pollers", "--measure", "0"}), HasSubstr("--measure"));
  EXPECT_THAT(usage({"pollers", "--needs", "edgy"}), HasSubstr("mean edge?"));
  EXPECT_THAT(usage({"pollers", "--nosuch"}),
              HasSubstr("no option --nosuch for `trolley pollers`\n"
                        "`trolley pollers --help` lists its options"));
  EXPECT_THAT(usage({"--needs", "edge", "pollers"}),
              HasSubstr("no option --needs before the command\n"
                        "`trolley help` lists the options that may stand "
                        "there; the options of a command stand after it"));
  EXPECT_EQ(usage({"pollers", "epoll"}),
            "trolley: one argument too many: epoll\n"
            "usage: trolley pollers [OPTION...]\n");
}

// A seccomp filter, as containers have.
TEST(PollersCommandTest, P16_AForbiddenPollerIsListedWithTheReason) {
  const Result r = RunProgram(kForbid, {"io_uring", test::kTrolley, "pollers",
                                        "--measure=1ms", "--needs=any_fd"});
  ASSERT_THAT(r, Exits(0));
  EXPECT_THAT(r.out, HasSubstr("\nio_uring  no "));
  EXPECT_THAT(r.out, HasSubstr("auto takes:    poll\n"));
  EXPECT_THAT(r.out,
              HasSubstr("not io_uring:  io_uring_setup: Operation not "
                        "permitted (forbidden by kernel.io_uring_disabled or a "
                        "container's seccomp filter)\n"));
  const Result both =
      RunProgram(kForbid, {"io_uring,epoll", test::kTrolley, "pollers",
                           "--measure=1ms", "-o", "name"});
  ASSERT_THAT(both, Exits(0));
  EXPECT_THAT(both.out, StartsWith("poll\n"));
}

// kernel.io_uring_disabled is the machine's; its answer is played here.
TEST(LookAtPollersTest, TheSysctlIsNamedAsTheReason) {
  FaultSys sys(RealSys());
  sys.FailAll(SysCall::kIoUringSetup, EPERM);
  const tools::PollerReport report =
      tools::LookAtPollers({.edge = true, .any_fd = true}, sys,
                           MonotonicClock(), absl::Microseconds(1));
  EXPECT_FALSE(Of(report, "io_uring").available());
  EXPECT_THAT(Of(report, "io_uring").why_not(),
              HasSubstr("kernel.io_uring_disabled"));
  EXPECT_THAT(Of(report, "io_uring").capabilities(), IsEmpty());
  EXPECT_TRUE(Of(report, "epoll").available());
  EXPECT_EQ(report.auto_().takes(), "");
  std::set<std::string> refused;
  for (const auto& refusal : report.auto_().refused()) {
    refused.insert(refusal.name());
    if (refusal.name() == "io_uring") {
      EXPECT_THAT(refusal.why(), HasSubstr("kernel.io_uring_disabled"));
    }
  }
  EXPECT_EQ(refused.size(), BuiltinPollers().size());
}

TEST(LookAtPollersTest, AWaitThatFailsIsNoFigure) {
  FaultSys sys(RealSys());
  sys.FailAll(SysCall::kPselect6, ENOMEM);
  const tools::PollerReport report =
      tools::LookAtPollers({}, sys, MonotonicClock(), absl::Microseconds(1));
  EXPECT_TRUE(Of(report, "select").available());
  EXPECT_EQ(Of(report, "select").wakes_measured(), 0);
  EXPECT_THAT(Of(report, "select").measuring_failed(), HasSubstr("pselect6"));
}

}  // namespace
}  // namespace trolley
