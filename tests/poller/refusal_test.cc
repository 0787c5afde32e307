// SPDX-License-Identifier: Apache-2.0
//
// Pitfall 49: when the kernel forbids a poller, the caller of the factory
// learns the reason. The kernel really forbids it here. Each case runs in a
// process of its own, because a seccomp filter cannot be removed.

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/fault_sys.h"
#include "trolley/poller/pollers.h"
#include "trolley/tests/poller/forbid_calls.h"

namespace trolley {
namespace {

constexpr char kWhy[] =
    "io_uring_setup: Operation not permitted .forbidden by "
    "kernel.io_uring_disabled or a container's seccomp filter.";

struct Ping {};
class Echo : public Actor {
 public:
  int On(const Ping&) { return 42; }
};

void Forbid(const std::vector<std::string>& pollers, int error = EPERM) {
  for (const std::string& name : pollers) {
    const absl::Status done = ForbidCalls(*CallsOf(name), error);
    if (!done.ok()) {
      std::cerr << done << "\n";
      ::_exit(2);
    }
  }
}

// Prints what became of it; 0 if the bus answered.
int AskOnABusOver(const std::string& poller) {
  const auto bus = Bus::Create({.loops = {{.poller = poller}}});
  if (!bus.ok()) {
    std::cerr << bus.status() << "\n";
    return 1;
  }
  const auto echo = (*bus)->Spawn<Echo>({});
  const auto answer = echo->AskAndWait(Ping{}, absl::InfiniteDuration());
  std::cerr << "answer " << answer.value_or(0) << "\n";
  return answer.ok() ? 0 : 1;
}

TEST(RefusalDeathTest, P16_Pitfall49_AnExplicitChoiceFailsWithTheReason) {
  EXPECT_EXIT(
      {
        Forbid({"io_uring"});
        ::_exit(AskOnABusOver("io_uring"));
      },
      testing::ExitedWithCode(1), kWhy);
  EXPECT_EXIT(
      {
        Forbid({"io_uring"}, ENOSYS);
        ::_exit(AskOnABusOver("io_uring"));
      },
      testing::ExitedWithCode(1),
      "io_uring_setup: .*a kernel without io_uring, or a seccomp filter");
}

TEST(RefusalDeathTest, Pitfall49_AutoTakesTheNextBestAndSaysWhy) {
  EXPECT_EXIT(
      {
        Forbid({"epoll", "io_uring"});
        const auto choice = ChoosePoller({}, RealSys(), MonotonicClock());
        if (!choice.ok()) ::_exit(1);
        std::cerr << "takes " << choice->poller->capabilities().name << "\n";
        for (const auto& refused : choice->refused) {
          std::cerr << refused.name << " because " << refused.why.message()
                    << "\n";
        }
        ::_exit(0);
      },
      testing::ExitedWithCode(0),
      std::string("takes poll\nepoll because epoll_create1: Operation not "
                  "permitted\nio_uring because ") +
          kWhy);
  EXPECT_EXIT(
      {
        Forbid({"io_uring"});
        const auto choice =
            ChoosePoller({.any_fd = true}, RealSys(), MonotonicClock());
        if (!choice.ok()) ::_exit(1);
        std::cerr << "takes " << choice->poller->capabilities().name << ", "
                  << choice->refused.back().why.message() << "\n";
        ::_exit(0);
      },
      testing::ExitedWithCode(0), std::string("takes poll, ") + kWhy);
}

TEST(RefusalDeathTest, Pitfall49_ABusOverAutoWorksAllTheSame) {
  for (const std::vector<std::string>& forbidden :
       {std::vector<std::string>{"io_uring"},
        {"epoll"},
        {"epoll", "io_uring"}}) {
    EXPECT_EXIT(
        {
          Forbid(forbidden);
          ::_exit(AskOnABusOver("auto"));
        },
        testing::ExitedWithCode(0), "answer 42");
  }
}

// 0 if io_uring works without locked memory or says what it lacks.
int OpenWithoutLockedMemory() {
  const rlimit none = {};
  ::setrlimit(RLIMIT_MEMLOCK, &none);
  const auto made = CreatePoller("io_uring", RealSys(), MonotonicClock());
  std::cerr << (made.ok() ? "works without" : made.status().ToString()) << "\n";
  if (made.ok()) return 0;
  for (const char* cause :
       {"RLIMIT_MEMLOCK", "io_uring_disabled", "a kernel without"}) {
    if (made.status().ToString().find(cause) != std::string::npos) return 0;
  }
  return 1;
}

// Old kernels count a ring's memory against this limit; others must not mind.
TEST(RefusalDeathTest, Pitfall49_NoLockedMemoryIsEnoughOrNamed) {
  EXPECT_EXIT(::_exit(OpenWithoutLockedMemory()), testing::ExitedWithCode(0),
              "");
  FaultSys sys(RealSys());
  sys.FailAll(SysCall::kIoUringSetup, ENOMEM);
  EXPECT_NE(CreatePoller("io_uring", sys, MonotonicClock())
                .status()
                .ToString()
                .find("RLIMIT_MEMLOCK"),
            std::string::npos);
}

// What a program of the bus sees where kernel.io_uring_disabled is 2: the
// setting is the machine's, so its answer is played.
TEST(RefusalTest, Pitfall49_TheSysctlIsNamed) {
  FaultSys sys(RealSys());
  sys.FailAll(SysCall::kIoUringSetup, EPERM);
  const auto bus = Bus::Create(
      {.loops = {{.poller = "io_uring"}}, .for_tests = {.sys = &sys}});
  EXPECT_NE(bus.status().ToString().find("kernel.io_uring_disabled"),
            std::string::npos)
      << bus.status();
  const auto fallback =
      Bus::Create({.loops = {{.poller = "auto"}}, .for_tests = {.sys = &sys}});
  EXPECT_TRUE(fallback.ok()) << fallback.status();
}

}  // namespace
}  // namespace trolley
