// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/pollers.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <set>

#include "trolley/poller/fault_sys.h"

namespace trolley {
namespace {

TEST(PollersTest, EachGivesItsOwnName) {
  std::set<std::string_view> names;
  for (const NamedPoller& poller : BuiltinPollers()) {
    EXPECT_TRUE(names.insert(poller.name).second) << poller.name;
    const auto made = CreatePoller(poller.name, RealSys(), MonotonicClock());
    if (!made.ok()) {
      std::cout << "refused here: " << made.status() << "\n";
      continue;
    }
    EXPECT_EQ((*made)->capabilities().name, poller.name);
  }
  EXPECT_TRUE(names.contains("epoll"));
}

TEST(PollersTest, AnUnknownNameIsAnsweredWithTheKnownOnes) {
  const auto made = CreatePoller("kqueue", RealSys(), MonotonicClock());
  EXPECT_EQ(made.status().code(), absl::StatusCode::kNotFound);
  for (const NamedPoller& poller : BuiltinPollers()) {
    EXPECT_NE(made.status().ToString().find(std::string(poller.name)),
              std::string::npos)
        << made.status();
  }
}

TEST(PollersTest, ARequirementNotMetIsNamed) {
  const Capabilities has = {.name = "abacus", .edge = true, .max_fd = 10};
  EXPECT_TRUE(CheckRequirements({.edge = true, .highest_fd = 10}, has).ok());
  const absl::Status status =
      CheckRequirements({.edge = true, .any_fd = true, .highest_fd = 11}, has);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "abacus lacks: any_fd, descriptor numbers up to 11 (max_fd 10)");
}

TEST(PollersTest, Pitfall49_TheChoiceSaysWhyABetterOneWasRefused) {
  FaultSys sys(RealSys());
  const auto first = ChoosePoller({}, sys, MonotonicClock());
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->poller->capabilities().name, "epoll");
  EXPECT_TRUE(first->refused.empty());

  sys.FailAll(SysCall::kEpollCreate1, EMFILE);
  const auto second = ChoosePoller({}, sys, MonotonicClock());
  if (second.ok()) {
    ASSERT_FALSE(second->refused.empty());
    EXPECT_EQ(second->refused[0].name, "epoll");
    EXPECT_EQ(second->refused[0].why.message(),
              "epoll_create1: Too many open files");
  } else {
    EXPECT_NE(second.status().ToString().find("epoll_create1: Too many"),
              std::string::npos)
        << second.status();
  }
}

TEST(PollersTest, NothingFitsIsAnErrorWithEveryReason) {
  const auto none =
      ChoosePoller({.virtual_time = true}, RealSys(), MonotonicClock());
  EXPECT_EQ(none.status().code(), absl::StatusCode::kFailedPrecondition);
  for (const NamedPoller& poller : BuiltinPollers()) {
    EXPECT_NE(none.status().ToString().find(std::string(poller.name)),
              std::string::npos)
        << none.status();
  }
}

}  // namespace
}  // namespace trolley
