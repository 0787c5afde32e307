// SPDX-License-Identifier: Apache-2.0
//
// ChildProcess with real programs, over each poller of this machine: what goes
// in and out, how it ends, and what becomes of processes that misbehave.

#include "trolley/actors/child/child_process.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/ask_until.h"
#include "trolley/tests/bus/bus_form.h"
#include "trolley/tests/child/child_owner.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using How = ChildEnd::How;

// This process has no child, and so no zombie.
void ExpectNoChild() {
  siginfo_t about = {};
  EXPECT_EQ(::waitid(P_ALL, 0, &about, WEXITED | WNOHANG | WNOWAIT), -1);
  EXPECT_EQ(errno, ECHILD);
}

bool Exists(const std::string& path) { return std::ifstream(path).good(); }

class ChildProcessTest : public ::testing::TestWithParam<BusForm> {
 protected:
  ~ChildProcessTest() override {
    bus_.Shutdown(absl::ZeroDuration());
    ExpectNoChild();
  }

  Ref<ChildOwner> Spawn(SpawnOptions options = {}) {
    return *bus_.Spawn<ChildOwner>(options, diary_, gate_);
  }
  // An owner whose process runs.
  Ref<ChildOwner> Start(ChildProcessOptions options, uint32_t mailbox = 64) {
    const Ref<ChildOwner> owner = Spawn({.mailbox_capacity = mailbox});
    const auto pid = Do(owner, StartIt{std::move(options)});
    EXPECT_TRUE(pid.ok()) << pid.status();
    if (pid.ok()) pid_ = *pid;
    return owner;
  }
  void AwaitEndOf(const Ref<ChildOwner>& owner) {
    absl::Notification ended;
    owner.address().WhenEnded([&](const ActorEnd&) { ended.Notify(); });
    ended.WaitForNotification();
  }

  const TempFolder folder_;
  Diary diary_;
  pid_t pid_ = 0;
  const std::shared_ptr<OutputGate> gate_ = std::make_shared<OutputGate>();
  Bus bus_ = Bus::CreateOrDie({.loops = LoopsOf(GetParam())});
};

INSTANTIATE_TEST_SUITE_P(Forms, ChildProcessTest,
                         testing::ValuesIn(ThreadedBusForms()), BusFormName);

// --- What goes in and out ---------------------------------------------------

TEST_P(ChildProcessTest, LinesGoInAndOutInOrder) {
  const auto owner = Start({.argv = {"cat"}});
  for (const char* line : {"one", "", "three\r"}) {
    EXPECT_EQ(*Do(owner, Say{line}), Delivery::kAccepted);
  }
  EXPECT_THAT(diary_.AwaitOutput(3), ElementsAre("one", "", "three\r"));
  owner.Tell(EndInput{});
  const ChildEnd end = diary_.AwaitEnd();
  EXPECT_TRUE(end.ok()) << end.ToString();
  EXPECT_EQ(end.pieces, 3u);
  EXPECT_EQ(*Do(owner, Say{"late"}), Delivery::kGone);
}

TEST_P(ChildProcessTest, FramesGoInAndOutInOrder) {
  const std::vector<std::string> frames = {"",
                                           "a",
                                           std::string(127, 'b'),
                                           std::string(128, 'c'),
                                           std::string(300'000, 'd'),
                                           "\n\n"};
  const auto owner = Start({.argv = {"cat"}, .format = PipeFormat::kDelimited});
  owner.Tell(SayAll{frames});
  EXPECT_EQ(diary_.AwaitOutput(frames.size()), frames);
  EXPECT_TRUE(diary_.AwaitWritten().ok());
  owner.Tell(EndInput{});
  EXPECT_TRUE(diary_.AwaitEnd().ok());
}

TEST_P(ChildProcessTest, TheLastLineMayLackItsEnd) {
  Start({.argv = {"printf", "a\\nb"}});
  EXPECT_TRUE(diary_.AwaitEnd().ok());
  EXPECT_THAT(diary_.output(), ElementsAre("a", "b"));
}

TEST_P(ChildProcessTest, TheEndSaysHow) {
  const auto owner = Start({.argv = Shell("exit 3")});
  ChildEnd end = diary_.AwaitEnd(1);
  EXPECT_EQ(end.how, How::kExited);
  EXPECT_EQ(end.code, 3);
  EXPECT_EQ(end.ToString(), "exited with code 3");
  // The same ChildProcess starts another one.
  ASSERT_TRUE(Do(owner, StartIt{{.argv = Shell("kill -9 $$")}}).ok());
  end = diary_.AwaitEnd(2);
  EXPECT_EQ(end.how, How::kSignalled);
  EXPECT_EQ(end.code, SIGKILL);
  EXPECT_EQ(end.ToString(), "was ended by signal 9 (Killed)");
}

TEST_P(ChildProcessTest, OneRunsAtATime) {
  const auto owner = Start({.argv = kRunsForEver});
  EXPECT_EQ(Do(owner, StartIt{{.argv = kRunsForEver}}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  owner.Tell(KillIt{});
  diary_.AwaitEnd();
}

TEST_P(ChildProcessTest, TheEnvironmentAndTheFolderAreThoseOfTheOptions) {
  Start({.argv = {"/usr/bin/env"},
         .inherit_environment = false,
         .environment = {"B=1", "A=x=y", "B", "C="}});
  EXPECT_TRUE(diary_.AwaitEnd(1).ok());
  EXPECT_THAT(diary_.output(), ElementsAre("A=x=y", "C="));

  ASSERT_EQ(::setenv("TROLLEY_TEST_KEPT", "kept", 1), 0);
  ASSERT_EQ(::setenv("TROLLEY_TEST_CUT", "cut", 1), 0);
  Diary inherits;
  const auto second = *bus_.Spawn<ChildOwner>({}, inherits, gate_);
  ASSERT_TRUE(
      Do(second, StartIt{{.argv = Shell("echo $TROLLEY_TEST_KEPT "
                                        "$TROLLEY_TEST_CUT $NEW; pwd"),
                          .working_directory = folder_.path(),
                          .environment = {"TROLLEY_TEST_CUT", "NEW=new"}}})
          .ok());
  EXPECT_TRUE(inherits.AwaitEnd().ok());
  EXPECT_THAT(inherits.output(), ElementsAre("kept new", folder_.path()));
}

TEST_P(ChildProcessTest, AProgramIsLookedForInThePathOfTheChild) {
  const std::string program = folder_ / "only-here";
  std::ofstream(program) << "#!/bin/sh\necho found\n";
  ASSERT_EQ(::chmod(program.c_str(), 0755), 0);
  Start({.argv = {"only-here"},
         .environment = {
             absl::StrCat("PATH=relative:/no/such:", folder_.path())}});
  EXPECT_TRUE(diary_.AwaitEnd().ok());
  EXPECT_THAT(diary_.output(), ElementsAre("found"));
}

// --- Limits -----------------------------------------------------------------

TEST_P(ChildProcessTest, P6_AProcessThatDoesNotReadFillsItsInputAndNoMore) {
  const auto owner = Start({.argv = kRunsForEver, .max_waiting_bytes = 1000});
  // Within one handler nothing is written: 100 bytes each, with the line break.
  EXPECT_EQ(*Do(owner, SayUntilFull{std::string(99, 'x')}), 10);
  // The pipe takes some of it, 64 KiB perhaps, and then it waits.
  owner.Tell(SayAll{std::vector<std::string>(2000, std::string(99, 'y'))});
  const auto waiting = AskUntil([&] { return *Do(owner, Waiting{}); },
                                [](size_t bytes) { return bytes == 1000; });
  EXPECT_EQ(waiting, 1000u);
  EXPECT_FALSE(diary_.written());
  EXPECT_EQ(*Do(owner, Say{"overtakes"}), Delivery::kFull);
  owner.Tell(KillIt{});
  EXPECT_EQ(diary_.AwaitEnd().how, How::kSignalled);
  EXPECT_EQ(diary_.AwaitWritten().code(), absl::StatusCode::kNotFound);
}

TEST_P(ChildProcessTest, APieceThatNeverFitsIsRefused) {
  const auto owner = Start({.argv = {"cat"}, .max_waiting_bytes = 10});
  EXPECT_EQ(*Do(owner, Say{"0123456789"}), Delivery::kFull);
  EXPECT_EQ(*Do(owner, Say{"012345678"}), Delivery::kAccepted);
  owner.Tell(SayAll{{"0123456789"}});
  EXPECT_EQ(diary_.AwaitWritten().code(), absl::StatusCode::kInvalidArgument);
  owner.Tell(EndInput{});
  EXPECT_TRUE(diary_.AwaitEnd().ok());
}

TEST_P(ChildProcessTest, P6_AProcessIsReadAsItsOwnerHandles) {
  gate_->open = false;
  // Far more than the pipe and the buffers hold.
  const auto owner =
      Start({.argv = Shell("yes line | head -n 100000"), .read_bytes = 4096},
            /*mailbox=*/4);
  const auto depth = [&] {
    const auto info = bus_.Inspect(absl::InfiniteDuration());
    for (const ActorInfo& actor : info->actors) {
      if (actor.id == owner.id()) return actor.depth;
    }
    return 0u;
  };
  EXPECT_EQ(AskUntil(depth, [](uint32_t n) { return n == 4; }), 4u);
  EXPECT_THAT(diary_.output(), IsEmpty());
  EXPECT_EQ(diary_.ends(), 0u);
  Open(bus_, owner.id().loop(), gate_);
  EXPECT_TRUE(diary_.AwaitEnd().ok());
  EXPECT_EQ(diary_.output().size(), 100'000u);
}

TEST_P(ChildProcessTest, P14_AHugeLineEndsTheProcessAndTakesNoMemory) {
  Start({.argv = Shell("echo fine; tr '\\0' x </dev/zero"),
         .max_piece_bytes = 1000});
  const ChildEnd end = diary_.AwaitEnd();
  EXPECT_EQ(end.output.code(), absl::StatusCode::kResourceExhausted)
      << end.ToString();
  EXPECT_THAT(end.ToString(), HasSubstr("line 2"));
  EXPECT_THAT(diary_.output(), ElementsAre("fine"));
}

TEST_P(ChildProcessTest, P14_AFrameOfFourGigabytesEndsTheProcess) {
  rusage before, after;
  ASSERT_EQ(::getrusage(RUSAGE_SELF, &before), 0);
  Start({.argv = Shell("printf '\\2ok\\377\\377\\377\\377\\017x'; "
                       "exec tail -f /dev/null"),
         .format = PipeFormat::kDelimited});
  const ChildEnd end = diary_.AwaitEnd();
  EXPECT_EQ(end.output.code(), absl::StatusCode::kResourceExhausted)
      << end.ToString();
  EXPECT_EQ(end.how, How::kSignalled);
  EXPECT_THAT(diary_.output(), ElementsAre("ok"));
  ASSERT_EQ(::getrusage(RUSAGE_SELF, &after), 0);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 64 << 10);  // KiB
}

TEST_P(ChildProcessTest, P15_ATornFrameIsSaid) {
  Start({.argv = {"printf", "\\1a\\5bc"}, .format = PipeFormat::kDelimited});
  const ChildEnd end = diary_.AwaitEnd();
  EXPECT_EQ(end.how, How::kExited);
  EXPECT_EQ(end.output.code(), absl::StatusCode::kDataLoss) << end.ToString();
  EXPECT_THAT(diary_.output(), ElementsAre("a"));
}

// --- Standard error ---------------------------------------------------------

TEST(ChildErrorsTest, P14_WhatAProcessComplainsOfIsPrintableAndLimited) {
  absl::Mutex mutex;
  std::vector<std::string> lines;
  BusOptions options;
  options.log = [&](absl::string_view line) {
    absl::MutexLock lock(&mutex);
    lines.emplace_back(line);
  };
  Diary diary;
  {
    auto bus = Bus::CreateOrDie(options);
    const auto owner = *bus.Spawn<ChildOwner>({}, diary);
    ASSERT_TRUE(
        Do(owner, StartIt{{.argv = Shell(
                               "printf 'red \\033[31m\\n' >&2; "
                               "head -c 3000 /dev/zero | tr '\\0' L >&2; "
                               "echo >&2; yes flood | head -n 1000000 >&2")}})
            .ok());
    EXPECT_TRUE(diary.AwaitEnd().ok());
    EXPECT_TRUE(bus.Shutdown(absl::InfiniteDuration()).clean);
  }
  absl::MutexLock lock(&mutex);
  EXPECT_LT(lines.size(), 100u);
  size_t flood = 0, red = 0, cut = 0;
  for (const std::string& line : lines) {
    EXPECT_LT(line.size(), 700u);
    EXPECT_EQ(line.find('\033'), std::string::npos);
    flood += line.find("]: flood") != std::string::npos;
    red += line.find("sh[") == 0 &&
           line.find("]: red \\x1b[31m") != std::string::npos;
    cut += line.find("LLL...") != std::string::npos;
  }
  EXPECT_GE(flood, 1u);
  EXPECT_EQ(red, 1u) << lines[0];
  EXPECT_EQ(cut, 1u);
}

TEST(ChildErrorsTest, TheyGoWhereTheOptionsSay) {
  auto bus = Bus::CreateOrDie({});
  const std::string say = "readlink /proc/self/fd/2";
  for (const auto& [errors, expected] :
       std::vector<std::pair<ChildErrors, std::string>>{
           {ChildErrors::kLog, "pipe:"},
           {ChildErrors::kInherit,
            std::filesystem::read_symlink("/proc/self/fd/2").string()},
           {ChildErrors::kDrop, "/dev/null"}}) {
    Diary diary;
    const auto owner = *bus.Spawn<ChildOwner>({}, diary);
    ASSERT_TRUE(
        Do(owner, StartIt{{.argv = Shell(say), .errors = errors}}).ok());
    EXPECT_THAT(diary.AwaitOutput(1), ElementsAre(HasSubstr(expected)));
    diary.AwaitEnd();
  }
}

// --- Processes that end as they like ----------------------------------------

TEST_P(ChildProcessTest, AProcessThatClosesItsOutputLivesOn) {
  const auto owner = Start({.argv = Shell("echo a; exec >&-; read x; exit 7")});
  EXPECT_THAT(diary_.AwaitOutput(1), ElementsAre("a"));
  EXPECT_EQ(*Do(owner, Say{"go on"}), Delivery::kAccepted);
  const ChildEnd end = diary_.AwaitEnd();
  EXPECT_EQ(end.code, 7) << end.ToString();
  EXPECT_TRUE(end.output.ok());
}

TEST_P(ChildProcessTest, AProcessThatEndsBeforeItReadsIsNoSignalForUs) {
  const auto owner = Start({.argv = {"true"}});
  owner.Tell(SayAll{std::vector<std::string>(5, std::string(400'000, 'x'))});
  EXPECT_TRUE(diary_.AwaitEnd().ok());
  EXPECT_EQ(diary_.AwaitWritten().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*Do(owner, Say{"late"}), Delivery::kGone);
}

TEST_P(ChildProcessTest, AProcessThatClosesItsInputLivesOn) {
  const auto owner =
      Start({.argv = Shell("exec <&-; echo closed; exec tail -f /dev/null")});
  diary_.AwaitOutput(1);
  AskUntil([&] { return *Do(owner, Say{"x"}); },
           [](Delivery d) { return d == Delivery::kGone; });
  EXPECT_EQ(diary_.ends(), 0u);
  owner.Tell(KillIt{});
  EXPECT_EQ(diary_.AwaitEnd().code, SIGKILL);
}

TEST_P(ChildProcessTest, P6_OutputThatWaitsForTheOwnerComesBeforeTheEnd) {
  gate_->open = false;
  const auto owner = Start({.argv = Shell("for i in 1 2 3 4 5 6 7 8; do "
                                          "echo $i; done; echo $$ >&2")},
                           /*mailbox=*/2);
  ProcessWatch(pid_)
      .AwaitEnd();  // it has ended, and the owner has taken nothing
  Open(bus_, owner.id().loop(), gate_);
  EXPECT_TRUE(diary_.AwaitEnd().ok());
  EXPECT_THAT(diary_.output(),
              ElementsAre("1", "2", "3", "4", "5", "6", "7", "8"));
}

// --- Stopping ---------------------------------------------------------------

TEST_P(ChildProcessTest, StopAsksByASignalFirst) {
  const auto owner = Start({.argv = Shell("trap 'echo bye; exit 5' TERM; "
                                          "echo ready; while :; do "
                                          "tail -f /dev/null & wait; done")});
  diary_.AwaitOutput(1);
  owner.Tell(StopIt{});
  const ChildEnd end = diary_.AwaitEnd();
  EXPECT_EQ(end.how, How::kExited);
  EXPECT_EQ(end.code, 5);
  EXPECT_THAT(diary_.output(), ElementsAre("ready", "bye"));
}

TEST_P(ChildProcessTest, AProcessThatIgnoresTheSignalIsKilled) {
  const auto owner = Start({.argv = Shell("trap '' TERM; echo ready; "
                                          "tail -f /dev/null"),
                            .grace = absl::Milliseconds(20)});
  diary_.AwaitOutput(1);
  owner.Tell(StopIt{});
  const ChildEnd end = diary_.AwaitEnd();
  EXPECT_EQ(end.how, How::kSignalled);
  EXPECT_EQ(end.code, SIGKILL);
}

TEST_P(ChildProcessTest, KillEndsAWaitForTheGrace) {
  const auto owner = Start({.argv = Shell("trap '' TERM; echo ready; "
                                          "tail -f /dev/null"),
                            .grace = absl::InfiniteDuration()});
  diary_.AwaitOutput(1);
  owner.Tell(StopIt{});
  owner.Tell(KillIt{});
  EXPECT_EQ(diary_.AwaitEnd().code, SIGKILL);
}

pid_t PidIn(const std::string& line) {
  int pid = 0;
  EXPECT_TRUE(absl::SimpleAtoi(line, &pid)) << line;
  return pid;
}

TEST_P(ChildProcessTest, P11_TheWholeGroupIsStopped) {
  for (const bool kill : {true, false}) {
    Diary diary;
    const auto owner = *bus_.Spawn<ChildOwner>({}, diary, gate_);
    ASSERT_TRUE(
        Do(owner, StartIt{{.argv = Shell("tail -f /dev/null & echo $!; wait")}})
            .ok());
    const ProcessWatch grandchild(PidIn(diary.AwaitOutput(1)[0]));
    ASSERT_TRUE(grandchild.found());
    if (kill) {
      owner.Tell(KillIt{});
    } else {
      owner.Tell(StopIt{});
    }
    EXPECT_EQ(diary.AwaitEnd().how, How::kSignalled);
    grandchild.AwaitEnd();
  }
}

TEST_P(ChildProcessTest, P11_WhatAProcessLeavesBehindEndsWithIt) {
  // It has the output of its parent, which so does not end by itself.
  const auto owner =
      Start({.argv = Shell("tail -f /dev/null & echo $!; read x; exit 6")});
  const ProcessWatch grandchild(PidIn(diary_.AwaitOutput(1)[0]));
  ASSERT_TRUE(grandchild.found());
  owner.Tell(EndInput{});
  EXPECT_EQ(diary_.AwaitEnd().code, 6);
  grandchild.AwaitEnd();
}

TEST_P(ChildProcessTest, AProcessThatLeftTheGroupHoldsUpNothing) {
  // The new session has begun when its process says its number.
  const auto owner =
      Start({.argv = Shell("setsid sh -c 'echo $$; exec tail -f /dev/null' & "
                           "read x; exit 6")});
  const pid_t left = PidIn(diary_.AwaitOutput(1)[0]);
  const ProcessWatch grandchild(left);
  ASSERT_TRUE(grandchild.found());
  owner.Tell(EndInput{});
  EXPECT_EQ(diary_.AwaitEnd().code, 6);
  ::kill(left, SIGKILL);
  grandchild.AwaitEnd();
}

// --- The end of the owner ---------------------------------------------------

TEST_P(ChildProcessTest, P8_AnOwnerThatThrowsOrStopsTakesItsProcessAlong) {
  for (const bool throws : {true, false}) {
    const std::string marker = folder_ / absl::StrCat("marker", throws);
    Diary diary;
    const auto owner = *bus_.Spawn<ChildOwner>({}, diary, gate_);
    const auto pid =
        Do(owner, StartIt{{.argv = Shell(absl::StrCat(
                               "trap 'echo >", marker,
                               "; exit 0' TERM; echo ready; while :; do "
                               "tail -f /dev/null & wait; done"))}});
    ASSERT_TRUE(pid.ok()) << pid.status();
    diary.AwaitOutput(1);
    const ProcessWatch watch(*pid);
    if (throws) {
      owner.Tell(Throw{});
    } else {
      owner.address().Stop();
    }
    AwaitEndOf(owner);
    watch.AwaitEnd();
    EXPECT_TRUE(Exists(marker)) << "it had no time to end by itself";
    EXPECT_EQ(diary.ends(), 0u);
    // Its keeper waits for it, and ends: see ~ChildProcessTest().
    AskUntil([&] { return bus_.CountActors(); },
             [](uint64_t actors) { return actors == 0; });
  }
}

TEST_P(ChildProcessTest, P6_AnOwnerWithAFullMailboxTakesItsProcessAlong) {
  gate_->open = false;
  const auto owner = Start({.argv = {"yes"}}, /*mailbox=*/2);
  const ProcessWatch watch(pid_);
  owner.address().Stop();
  AwaitEndOf(owner);
  watch.AwaitEnd();
  AskUntil([&] { return bus_.CountActors(); },
           [](uint64_t actors) { return actors == 0; });
}

TEST_P(ChildProcessTest, P10_AShutdownGivesTheProcessItsGrace) {
  const std::string marker = folder_ / "marker";
  Start({.argv = Shell(absl::StrCat("trap 'echo bye; echo >", marker,
                                    "; exit 0' TERM; echo ready; while :; do "
                                    "tail -f /dev/null & wait; done"))});
  diary_.AwaitOutput(1);
  const ShutdownReport report = bus_.Shutdown(absl::InfiniteDuration());
  EXPECT_TRUE(report.clean);
  EXPECT_TRUE(report.ledger.Balances());
  EXPECT_TRUE(Exists(marker));
  EXPECT_THAT(diary_.output(), ElementsAre("ready", "bye"));
  EXPECT_EQ(diary_.ends(), 1u);
}

TEST_P(ChildProcessTest, P10_AShutdownKillsAProcessThatDoesNotEnd) {
  const auto owner = Start({.argv = Shell("trap '' TERM; echo ready; "
                                          "tail -f /dev/null"),
                            .grace = absl::InfiniteDuration()});
  diary_.AwaitOutput(1);
  const ProcessWatch watch(pid_);
  EXPECT_FALSE(bus_.Shutdown(absl::Milliseconds(100)).clean);
  watch.AwaitEnd();
  ExpectNoChild();
}

// --- Many -------------------------------------------------------------------

TEST_P(ChildProcessTest, P11_TwoHundredProcessesLeaveNothingBehind) {
  static constexpr int kOwners = 8;
  constexpr int kRounds = 25;
  std::array<Diary, kOwners> diaries;
  std::vector<Ref<ChildOwner>> owners;
  for (Diary& diary : diaries) {
    owners.push_back(*bus_.Spawn<ChildOwner>({}, diary, gate_));
  }
  const auto run_all = [&](int round) {
    for (int i = 0; i < kOwners; ++i) {
      // Those that end by themselves, by a signal, and that cannot start.
      const std::vector<std::string> argv =
          i % 2 == 0 ? Shell("echo x; exit 0") : kRunsForEver;
      ASSERT_TRUE(Do(owners[i], StartIt{{.argv = argv}}).ok());
      EXPECT_FALSE(Do(owners[i], StartIt{{.argv = {"/no/such/program"}}}).ok());
      if (i % 2 == 1) owners[i].Tell(KillIt{});
    }
    for (int i = 0; i < kOwners; ++i) diaries[i].AwaitEnd(round);
    // Their keepers have ended.
    AskUntil([&] { return bus_.CountActors(); },
             [](uint64_t actors) { return actors == kOwners; });
  };
  run_all(1);
  const int descriptors = OpenDescriptors();
  for (int round = 2; round <= kRounds; ++round) {
    run_all(round);
    ExpectNoChild();
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

}  // namespace
}  // namespace trolley
