// SPDX-License-Identifier: Apache-2.0
//
// What can go wrong when a process is started: each is an error that names the
// step, and leaves no process and no descriptor behind. And with what a process
// starts.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/child/child_process.h"
#include "trolley/actors/child/internal/child_parts.h"
#include "trolley/actors/child/internal/start_process.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/poller/pollers.h"
#include "trolley/tests/child/child_owner.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

using internal::ChildParts;
using internal::StartChild;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void ExpectNoChild() {
  siginfo_t about = {};
  EXPECT_EQ(::waitid(P_ALL, 0, &about, WEXITED | WNOHANG | WNOWAIT), -1);
  EXPECT_EQ(errno, ECHILD);
}

// Starts it and ends it again.
absl::Status TryIn(Sys& sys, const ChildProcessOptions& options) {
  return StartChild(sys, options).status();
}
absl::Status Try(const ChildProcessOptions& options) {
  const int descriptors = OpenDescriptors();
  absl::Status tried = TryIn(RealSys(), options);
  EXPECT_EQ(OpenDescriptors(), descriptors);
  ExpectNoChild();
  return tried;
}

void ExpectError(const ChildProcessOptions& options, absl::StatusCode code,
                 const std::string& text) {
  const absl::Status tried = Try(options);
  EXPECT_EQ(tried.code(), code) << tried;
  EXPECT_THAT(std::string(tried.message()), HasSubstr(text));
}

TEST(StartTest, P13_EachReasonForNoProcessIsNamed) {
  const TempFolder folder;
  const std::string text = folder / "text", odd = folder / "odd",
                    circle = folder / "circle";
  std::ofstream(text) << "no program\n";
  std::ofstream(odd) << "\1\2\3\4\n";
  ASSERT_EQ(::chmod(odd.c_str(), 0755), 0);
  ASSERT_EQ(::symlink(circle.c_str(), circle.c_str()), 0);

  ExpectError({.argv = {"/no/such/program"}}, absl::StatusCode::kNotFound,
              "cannot start \"/no/such/program\": execve(/no/such/program): "
              "No such file or directory");
  ExpectError({.argv = {"no-such-program"}, .environment = {"PATH=/a:b:/c"}},
              absl::StatusCode::kNotFound,
              "execve, none of these: /a/no-such-program /c/no-such-program: "
              "No such file or directory");
  ExpectError({.argv = {"cat"}, .environment = {"PATH=.:bin"}},
              absl::StatusCode::kNotFound, "PATH has no absolute folder");
  ExpectError({.argv = {text}}, absl::StatusCode::kPermissionDenied,
              absl::StrCat("execve(", text, "): Permission denied"));
  // That it is there says more than that it is not elsewhere.
  ExpectError({.argv = {"text"},
               .environment = {absl::StrCat("PATH=/a:", folder.path(), ":/c")}},
              absl::StatusCode::kPermissionDenied,
              absl::StrCat("execve(", text, "): Permission denied"));
  ExpectError({.argv = {folder.path()}}, absl::StatusCode::kPermissionDenied,
              "Permission denied");
  ExpectError({.argv = {odd}}, absl::StatusCode::kUnknown, "Exec format error");
  ExpectError({.argv = {circle}}, absl::StatusCode::kInvalidArgument,
              "Too many levels of symbolic links");
  ExpectError({.argv = {text + "/below"}}, absl::StatusCode::kInvalidArgument,
              "Not a directory");
  ExpectError({.argv = {"true", std::string(200'000, 'x')}},
              absl::StatusCode::kOutOfRange, "Argument list too long");
  ExpectError({.argv = {"true"}, .working_directory = "/no/such"},
              absl::StatusCode::kNotFound,
              "chdir(/no/such): No such file or directory");
  ExpectError({.argv = {"true"}, .working_directory = text},
              absl::StatusCode::kInvalidArgument, "chdir(");
}

TEST(StartTest, P14_WhatIsInANameIsMadePrintable) {
  const absl::Status tried = Try({.argv = {"/no/\033[31m/x"}});
  EXPECT_EQ(tried.message().find('\033'), absl::string_view::npos);
}

// The limit of processes does not hold for root, so clone() is replaced.
TEST(StartTest, P13_WithoutRoomForAProcessNothingIsStarted) {
  for (const auto& [error, code] :
       std::vector<std::pair<int, absl::StatusCode>>{
           {EAGAIN, absl::StatusCode::kResourceExhausted},
           {ENOMEM, absl::StatusCode::kResourceExhausted},
           {EMFILE, absl::StatusCode::kResourceExhausted},
           {EPERM, absl::StatusCode::kPermissionDenied},
           {ENOSYS, absl::StatusCode::kUnimplemented}}) {
    const auto refused =
        internal::StartProcess(RealSys(), internal::ImageOf({.argv = {"true"}}),
                               {.in = 5, .out = 6, .err = 7},
                               [error = error](int (*)(void*), void*, int,
                                               void*, int*) { return -error; });
    EXPECT_EQ(refused.status().code(), code) << refused.status();
    EXPECT_THAT(std::string(refused.status().message()),
                HasSubstr("cannot start \"true\": clone: "));
  }
  sigset_t mask;
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, nullptr, &mask), 0);
  EXPECT_EQ(::sigismember(&mask, SIGTERM), 0) << "it stays as it was";
}

TEST(StartTest, P13_ADescriptorThatIsNoneIsNamed) {
  const auto started =
      internal::StartProcess(RealSys(), internal::ImageOf({.argv = {"true"}}),
                             {.in = 1000, .out = 1001, .err = 1002});
  EXPECT_EQ(started.status().message(),
            "cannot start \"true\": dup3: Bad file descriptor");
  ExpectNoChild();
}

TEST(StartTest, P12_WithoutDescriptorsNothingIsStarted) {
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int open = OpenDescriptors();
  int refused = 0;
  for (int more = 0; more < 20; ++more) {
    rlimit limit = before;
    limit.rlim_cur = static_cast<rlim_t>(open + more);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    const absl::Status tried = TryIn(RealSys(), {.argv = {"true"}});
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(OpenDescriptors(), open);
    ExpectNoChild();
    if (tried.ok()) break;
    EXPECT_EQ(tried.code(), absl::StatusCode::kResourceExhausted) << tried;
    ++refused;
  }
  EXPECT_GT(refused, 0);
}

TEST(StartTest, P13_EachSystemCallMayFail) {
  const int descriptors = OpenDescriptors();
  sigset_t mask;
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, nullptr, &mask), 0);
  for (const ChildErrors errors :
       {ChildErrors::kLog, ChildErrors::kInherit, ChildErrors::kDrop}) {
    uint64_t n = 1;
    for (;; ++n) {
      FaultSys sys(RealSys());
      sys.FailNthOfAny(n);
      const absl::Status tried =
          TryIn(sys, {.argv = {"true"}, .errors = errors});
      sys.StopFailing();
      ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &mask, nullptr), 0);
      // A waitid() that fails leaves a child: that is of no call of ours.
      for (pid_t left = 1; left > 0;) left = ::waitpid(-1, nullptr, 0);
      EXPECT_EQ(OpenDescriptors(), descriptors) << n;
      if (sys.faults() == 0) {
        EXPECT_TRUE(tried.ok()) << tried;
        break;
      }
    }
    EXPECT_GT(n, 5u);
  }
}

TEST(StartTest, AProgramThatIgnoresItsChildrenIsTold) {
  for (const bool ignores : {true, false}) {
    struct sigaction action = {}, before;
    action.sa_handler = ignores ? SIG_IGN : SIG_DFL;
    action.sa_flags = ignores ? 0 : SA_NOCLDWAIT;
    ASSERT_EQ(::sigaction(SIGCHLD, &action, &before), 0);
    const absl::Status tried = TryIn(RealSys(), {.argv = {"true"}});
    ASSERT_EQ(::sigaction(SIGCHLD, &before, nullptr), 0);
    EXPECT_EQ(tried.code(), absl::StatusCode::kFailedPrecondition) << tried;
    EXPECT_THAT(std::string(tried.message()), HasSubstr("SIGCHLD"));
  }
}

TEST(StartTest, ASimulatedBusStartsNoProcess) {
  testing::SimBus sim;
  Diary diary;
  const auto owner = sim.Spawn<ChildOwner>({}, diary);
  const auto started =
      sim.Ask(owner, StartIt{{.argv = {"true"}}}, absl::Seconds(1));
  EXPECT_EQ(started.status().code(), absl::StatusCode::kUnimplemented);
}

// --- With what it starts ----------------------------------------------------

class InheritedTest : public ::testing::TestWithParam<std::string> {};

TEST_P(InheritedTest, P11_AProcessStartsCleanWhateverThisOneHas) {
  const absl::Status made =
      CreatePoller(GetParam(), RealSys(), MonotonicClock()).status();
  if (!made.ok()) GTEST_SKIP() << "not on this machine: " << made;
  // What must not arrive: a blocked signal, an ignored one, a descriptor.
  sigset_t blocked, mask_before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ::sigaddset(&blocked, SIGTERM);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, &mask_before), 0);
  ::signal(SIGUSR2, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  const int careless = ::open("/dev/null", O_RDONLY);  // not close-on-exec
  const absl::Cleanup restore = [&] {
    ::pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
    ::signal(SIGUSR2, SIG_DFL);
    ::signal(SIGPIPE, SIG_DFL);
    ::close(careless);
  };

  auto bus = Bus::CreateOrDie({.loops = {{.poller = GetParam()}}});
  const auto said = [&](std::vector<std::string> argv) {
    Diary diary;
    const auto owner = *bus.Spawn<ChildOwner>({}, diary);
    EXPECT_TRUE(Do(owner, StartIt{{.argv = std::move(argv)}}).ok());
    const ChildEnd end = diary.AwaitEnd();
    EXPECT_TRUE(end.ok()) << end.ToString();
    return diary.output();
  };
  std::vector<std::string> signals;
  for (const std::string& line : said({"/bin/cat", "/proc/self/status"})) {
    const std::string name = line.substr(0, 7);
    if (name == "SigBlk:" || name == "SigIgn:") signals.push_back(line);
  }
  EXPECT_THAT(signals, ElementsAre("SigBlk:\t0000000000000000",
                                   "SigIgn:\t0000000000000000"));
  // Numbers above 2 are folders that find looks at.
  for (const std::string& line : said({"/usr/bin/find", "/proc/self/fd",
                                       "-type", "l", "-printf", "%f=%l\n"})) {
    const std::vector<std::string> of = absl::StrSplit(line, '=');
    if (of.at(0) < "3") {
      EXPECT_THAT(of.at(1), HasSubstr("pipe:")) << line;
    } else {
      EXPECT_EQ(of.at(1)[0], '/') << line;
      EXPECT_NE(of.at(1), "/dev/null");
    }
  }
  // Its number, its parent, its group.
  const std::vector<std::string> numbers = absl::StrSplit(
      said({"/usr/bin/cut", "-d ", "-f1,4,5", "/proc/self/stat"}).at(0), ' ');
  EXPECT_EQ(numbers.at(0), numbers.at(2));
  EXPECT_EQ(numbers.at(1), absl::StrCat(::getpid()));
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const NamedPoller& poller : BuiltinPollers()) {
    names.emplace_back(poller.name);
  }
  return names;
}
INSTANTIATE_TEST_SUITE_P(Pollers, InheritedTest, ::testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

// Even without the descriptors 0 to 2. In a child of this test, which has them.
TEST(StartTest, P11_AProcessHasItsThreeDescriptorsIfThisOneHasNone) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    for (int fd = 0; fd <= 2; ++fd) ::close(fd);
    bool good = false;
    {
      auto parts = StartChild(
          RealSys(), {.argv = {"cat"}, .errors = ChildErrors::kInherit});
      good = parts.ok() && parts->process.pidfd() > 2 && parts->in.get() > 2 &&
             parts->out.get() > 2;
      char byte = 'x';
      good = good &&
             RealSys().Write(parts->in.get(), absl::MakeSpan(&byte, 1)) == 1 &&
             RealSys().Read(parts->out.get(), absl::MakeSpan(&byte, 1)) == 1;
    }
    for (int fd = 0; fd <= 2; ++fd) good = good && ::fcntl(fd, F_GETFD) < 0;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// --- When this process is killed ---------------------------------------------

TEST(StartTest, P11_AProcessDoesNotOutliveThisOne) {
  int ends[2];
  ASSERT_EQ(RealSys().Pipe2(ends, O_CLOEXEC), 0);
  const ScopedFd reads(RealSys(), ends[0]);
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    // Started by a process that is then killed, and asked by no signal.
    auto parts = StartChild(RealSys(), {.argv = kRunsForEver});
    const pid_t pid = parts.ok() ? parts->process.pid() : -1;
    if (::write(ends[1], &pid, sizeof(pid)) < 0) ::_exit(1);
    for (;;) ::pause();
  }
  RealSys().Close(ends[1]);
  pid_t grandchild = -1;
  ASSERT_EQ(::read(reads.get(), &grandchild, sizeof(grandchild)),
            static_cast<ssize_t>(sizeof(grandchild)));
  ASSERT_GT(grandchild, 0);
  const ProcessWatch watch(grandchild);
  ASSERT_TRUE(watch.found());
  ASSERT_EQ(::kill(parent, SIGKILL), 0);
  watch.AwaitEnd();
  EXPECT_EQ(::waitpid(parent, nullptr, 0), parent);
}

}  // namespace
}  // namespace trolley
