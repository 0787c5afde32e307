// SPDX-License-Identifier: Apache-2.0
//
// P11: a process that a handler starts inherits what main would have given it:
// the same blocked, ignored and caught signals, and the same descriptors.
// Tested over every poller and with each way to start a process.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/mains_signals.h"
#include "trolley/actors/pipe_reader.h"
#include "trolley/actors/unix/unix_link.h"
#include "trolley/actors/unix/unix_listener.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/poller/pollers.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/lib/process.h"

namespace trolley {
namespace {

extern "C" char** environ;

using Words = std::vector<std::string>;

// Programs that say what they are: their masks, and their descriptors.
const Words kSaySignals = {"/bin/grep", "^Sig[BIC]", "/proc/self/status"};
const Words kSayDescriptors = {"/usr/bin/find", "/proc/self/fd", "-printf",
                               "%f=%l "};

void Wait(pid_t child) {
  int status = 0;
  EXPECT_EQ(TEMP_FAILURE_RETRY(::waitpid(child, &status, 0)), child);
  EXPECT_EQ(status, 0);
}

std::vector<char*> Argv(const Words& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  return argv;
}

// For a shell. A Debian shell unblocks all signals, so these two ways show the
// descriptors, the others the masks too.
std::string Line(const Words& words, const std::string& to) {
  std::string line = "exec >" + to;
  line += "; exec";
  for (const std::string& word : words) line += " '" + word + "'";
  return line;
}

void SpawnProcess(const Words& words, const std::string& to,
                  const posix_spawnattr_t* attributes) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, to.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  ASSERT_EQ(::posix_spawn(&child, words[0].c_str(), &actions, attributes,
                          Argv(words).data(), environ),
            0);
  ::posix_spawn_file_actions_destroy(&actions);
  Wait(child);
}

// Each way to run `words` with its output in the file `to`.
using Way = std::function<void(const Words& words, const std::string& to)>;
const std::map<std::string, Way>& Ways() {
  static const auto& ways = *new std::map<std::string, Way>{
      {"fork",
       [](const Words& words, const std::string& to) {
         const std::vector<char*> argv = Argv(words);
         const pid_t child = ::fork();
         if (child == 0) {
           const int fd =
               ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
           ::dup2(fd, 1);
           ::close(fd);
           ::execv(argv[0], argv.data());
           ::_exit(127);
         }
         Wait(child);
       }},
      {"posix_spawn",
       [](const Words& words, const std::string& to) {
         SpawnProcess(words, to, nullptr);
       }},
      {"system",
       [](const Words& words, const std::string& to) {
         EXPECT_EQ(std::system(Line(words, to).c_str()), 0);
       }},
      {"popen",
       [](const Words& words, const std::string& to) {
         FILE* const child = ::popen(Line(words, to).c_str(), "w");
         ASSERT_NE(child, nullptr);
         EXPECT_EQ(::pclose(child), 0);
       }},
  };
  return ways;
}

struct Start {
  std::string way;
  Words words;
  std::string to;
};

class Starter : public Actor {
 public:
  absl::Status On(const Start& m) {
    if (m.way != "attributes") {
      return WithMainsSignals(context(),
                              [&] { Ways().at(m.way)(m.words, m.to); });
    }
    // The other way that the header names.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    ::posix_spawnattr_setsigmask(&attributes, &context().mains_signals());
    SpawnProcess(m.words, m.to, &attributes);
    ::posix_spawnattr_destroy(&attributes);
    return absl::OkStatus();
  }
};

class Ignore : public Actor {
 public:
  void On(const PipePiece&) {}
  void On(const PipeEnd&) {}
};

class InheritanceTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    absl::Status made =
        CreatePoller(GetParam(), RealSys(), MonotonicClock()).status();
    if (!made.ok()) GTEST_SKIP() << "not on this machine: " << made;
    // Something that must arrive: main blocks one and ignores another.
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, &before_), 0);
    ::signal(SIGUSR2, SIG_IGN);
  }
  void TearDown() override {
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    ::signal(SIGUSR2, SIG_DFL);
  }

  // What a process says that `start` starts.
  std::string Said(const Way& start) {
    std::string all;
    for (const Words& words : {kSaySignals, kSayDescriptors}) {
      start(words, folder_ / "said");
      std::ifstream file(folder_ / "said");
      std::ostringstream text;
      text << file.rdbuf();
      all += text.str();
    }
    // The pipe of a popen, and the process itself, are others each time.
    return std::regex_replace(all, std::regex("pipe:\\[[0-9]+|/proc/[0-9]+"),
                              "#");
  }

  const TempFolder folder_;
  sigset_t before_;
};

TEST_P(InheritanceTest, P11_AProcessThatAHandlerStartsIsAsMainsWouldBe) {
  // The C library takes a signal of its own when the first thread starts.
  std::thread([] {}).join();
  std::map<std::string, std::string> by_main;
  for (const auto& [way, start] : Ways()) {
    by_main[way] = Said(start);
    ASSERT_NE(by_main[way].find("SigBlk"), std::string::npos) << by_main[way];
    ASSERT_NE(by_main[way].find("0="), std::string::npos) << by_main[way];
  }

  // A bus with all that has descriptors.
  auto bus = Bus::Create({.loops = {{.poller = GetParam()}}});
  ASSERT_TRUE(bus.ok()) << bus.status();
  auto socket = ListenUnix(RealSys(), folder_ / "links");
  ASSERT_TRUE(socket.ok()) << socket.status();
  ASSERT_TRUE((*bus)->Spawn<UnixListener>({}, *std::move(socket)).ok());
  ASSERT_TRUE((*bus)->Spawn<UnixLink>({}, folder_ / "links").ok());
  int fds[2];
  ASSERT_EQ(RealSys().Pipe2(fds, O_CLOEXEC), 0);
  const ScopedFd writer(RealSys(), fds[1]);
  auto receiver = (*bus)->Spawn<Ignore>({});
  ASSERT_TRUE(
      (*bus)
          ->Spawn<PipeReader>({}, ScopedFd(RealSys(), fds[0]), *receiver)
          .ok());
  auto starter = (*bus)->Spawn<Starter>({});
  ASSERT_TRUE(starter.ok());

  by_main["attributes"] = by_main["posix_spawn"];
  for (const auto& [way, expected] : by_main) {
    const Way by_handler = [&, way = way](const Words& words,
                                          const std::string& to) {
      EXPECT_EQ(
          starter->AskAndWait(Start{way, words, to}, absl::InfiniteDuration()),
          absl::OkStatus());
    };
    EXPECT_EQ(Said(by_handler), expected) << way;
  }
}

// Starts nothing on a thread whose signal mask is not that of main.
class FailingStarter : public Actor {
 public:
  struct Go {};
  struct Result {
    absl::Status started;
    bool called = false;
  };
  explicit FailingStarter(FaultSys& sys) : sys_(sys) {}
  Result On(Go) {
    Result result;
    sys_.FailAll(SysCall::kSigmask, EINVAL);
    result.started = WithMainsSignals(context(), [&] { result.called = true; });
    sys_.StopFailing();
    return result;
  }

 private:
  FaultSys& sys_;
};

TEST(MainsSignalsTest, P13_WithoutTheMaskOfMainNothingIsStarted) {
  FaultSys faulty(RealSys());
  BusOptions options;
  options.for_tests.sys = &faulty;
  auto bus = Bus::CreateOrDie(std::move(options));
  auto starter = *bus.Spawn<FailingStarter>({}, faulty);
  const auto result =
      starter.AskAndWait(FailingStarter::Go{}, absl::InfiniteDuration());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->started.code(), absl::StatusCode::kInvalidArgument)
      << result->started;
  EXPECT_FALSE(result->called);
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const NamedPoller& poller : BuiltinPollers()) {
    names.emplace_back(poller.name);
  }
  return names;
}
INSTANTIATE_TEST_SUITE_P(Pollers, InheritanceTest, testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace trolley
