// SPDX-License-Identifier: Apache-2.0
//
// The machine refuses threads, descriptors or memory maps, at each step in the
// life of a bus. The result must be a Status, and nothing may be left behind.

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/bus/thread/start_thread.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/poller/pollers.h"
#include "trolley/tests/bus/bus_fixture.h"
#include "trolley/tests/lib/process.h"

namespace {

// Threads that may still be started; below 0: any number.
std::atomic<int> threads_allowed{-1};

}  // namespace

// Stands before the C library's, also for what std::thread calls.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* how,
                              void* (*run)(void*), void* with) noexcept {
  using Create =
      int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto next =
      reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
  if (threads_allowed >= 0 && threads_allowed.fetch_sub(1) <= 0) {
    threads_allowed = 0;
    return EAGAIN;
  }
  return next(thread, how, run, with);
}

namespace trolley::internal {
namespace {

using ::testing::HasSubstr;

// What a process has that a bus could leave behind.
class Belongings {
 public:
  void ExpectTheSame() const {
    ASSERT_EQ(OpenDescriptors(), descriptors_);
    AwaitThreads(threads_);
    EXPECT_EQ(CountThreads(), threads_);
  }

 private:
  const int threads_ = CountThreads();
  const int descriptors_ = OpenDescriptors();
};

struct Ping {};
class Answerer : public Actor {
 public:
  int On(const Ping&) { return 7; }
};

BusOptions TwoLoops(const BusForm& form) {
  LoopOptions loop;
  loop.poller = form.poller;
  BusOptions options;
  options.loops = {loop, loop};
  options.log = [](absl::string_view) {};
  return options;
}

class RefusedTest : public testing::TestWithParam<BusForm> {};

std::vector<BusForm> OneFormOfEachPoller() {
  std::vector<BusForm> forms;
  for (const BusForm& form : ThreadedBusForms()) {
    if (!form.chaos && (forms.empty() || forms.back().poller != form.poller)) {
      forms.push_back(form);
    }
  }
  return forms;
}
INSTANTIATE_TEST_SUITE_P(Pollers, RefusedTest,
                         testing::ValuesIn(OneFormOfEachPoller()), BusFormName);

TEST_P(RefusedTest, P13_WhicheverThreadIsRefusedCreateSaysSo) {
  { auto once = Bus::Create(TwoLoops(GetParam())); }  // what is made once
  const Belongings before;
  int refused = 0;
  for (int allowed = 0;; ++allowed) {
    threads_allowed = allowed;
    auto bus = Bus::Create(TwoLoops(GetParam()));
    threads_allowed = -1;
    if (bus.ok()) {
      EXPECT_EQ(allowed, 3) << "two loops and the log";
      EXPECT_EQ(*(*bus)->Spawn<Answerer>({})->AskAndWait(
                    Ping{}, absl::InfiniteDuration()),
                7);
      threads_allowed = 0;  // what comes now needs none
      EXPECT_TRUE((*bus)->Spawn<Answerer>({}).ok());
      EXPECT_TRUE((*bus)->Shutdown(absl::Hours(1)).clean);
      threads_allowed = -1;
      break;
    }
    ++refused;
    EXPECT_TRUE(absl::IsResourceExhausted(bus.status())) << bus.status();
    for (const char* limit : {"ulimit -u", "pids.max", "threads-max"}) {
      EXPECT_THAT(std::string(bus.status().message()), HasSubstr(limit));
    }
    before.ExpectTheSame();
  }
  EXPECT_EQ(refused, 3);
  before.ExpectTheSame();
}

TEST_P(RefusedTest, P13_WhicheverDescriptorIsRefusedCreateSaysSo) {
  { auto once = Bus::Create(TwoLoops(GetParam())); }
  const Belongings before;
  rlimit usual = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  int refused = 0;
  for (rlim_t limit = 3;; ++limit) {
    rlimit low = usual;
    low.rlim_cur = limit;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    auto bus = Bus::Create(TwoLoops(GetParam()));
    if (bus.ok()) {
      // None is left for what comes now, and it needs none.
      auto actor = (*bus)->Spawn<Answerer>({});
      EXPECT_TRUE(actor.ok());
      EXPECT_EQ(*actor->AskAndWait(Ping{}, absl::InfiniteDuration()), 7);
      EXPECT_TRUE((*bus)->Shutdown(absl::Hours(1)).clean);
      ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
      break;
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
    ++refused;
    EXPECT_TRUE(absl::IsResourceExhausted(bus.status())) << bus.status();
    EXPECT_THAT(std::string(bus.status().message()), HasSubstr("loop "));
    before.ExpectTheSame();
  }
  // `busy` looks at what there is, and needs none of its own.
  EXPECT_EQ(refused > 0, GetParam().poller != "busy") << refused;
  before.ExpectTheSame();
}

// Whatever the kernel refuses, in the words of its manual: memory maps, rings,
// eventfds, signals, and what a loop does when it runs and when it ends.
TEST_P(RefusedTest, P13_WhicheverCallIsRefusedNothingIsLeftBehind) {
  { auto once = Bus::Create(TwoLoops(GetParam())); }
  const Belongings before;
  for (size_t which = 0; which < 3; ++which) {
    for (uint64_t n = 1; !HasFailure(); ++n) {
      SCOPED_TRACE(absl::StrCat("call ", n, ", errno choice ", which));
      FaultSys faulty(RealSys());
      faulty.FailNthOfAny(n, which);
      BusOptions options = TwoLoops(GetParam());
      options.for_tests.sys = &faulty;
      auto bus = Bus::Create(options);
      if (bus.ok()) {
        (*bus)->Spawn<Answerer>({}).IgnoreError();
        (*bus)->Shutdown(absl::Hours(1));
        bus->reset();
      } else {
        EXPECT_FALSE(bus.status().message().empty());
      }
      before.ExpectTheSame();
      if (faulty.faults() == 0) break;
    }
  }
}

// The real limit, in a process of a user that has no other.
TEST(RefusedProcessTest, P13_TheLimitOfAUserIsAStatus) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root, to be a user who is under the limit";
  }
  constexpr uid_t kNobody = 65534;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // No room for another thread of this user, whatever else it runs.
    const rlimit none = {.rlim_cur = 1, .rlim_max = 1};
    if (::setresuid(kNobody, kNobody, kNobody) != 0 ||
        ::setrlimit(RLIMIT_NPROC, &none) != 0) {
      ::_exit(2);
    }
    auto bus = Bus::Create({});
    std::printf("%s\n", bus.status().ToString().c_str());
    std::fflush(stdout);
    ::_exit(absl::IsResourceExhausted(bus.status()) ? 0 : bus.ok() ? 3 : 4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == 2) {
    GTEST_SKIP() << "needs a sandbox that knows a second user";
  }
  if (WEXITSTATUS(status) == 3) {
    GTEST_SKIP() << "this kernel does not hold the user to the limit";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StartThreadTest, TheErrorNamesTheThread) {
  threads_allowed = 0;
  const auto refused = StartThread("the thread of loop 3", {}, [] {});
  threads_allowed = -1;
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("the thread of loop 3"));
  bool ran = false;
  auto started = StartThread("a thread", {}, [&] { ran = true; });
  ASSERT_TRUE(started.ok());
  started->join();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace trolley::internal
