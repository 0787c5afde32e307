// SPDX-License-Identifier: Apache-2.0
//
// A BlockingPool without threads, in virtual time: results and errors.

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/blocking.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using trolley::testing::SimBus;

constexpr absl::Duration kSecond = absl::Seconds(1);

struct Length {
  std::string text;
};
struct Make {};
struct Check {
  bool ok;
};
struct Parse {
  std::string text;
};
struct Nothing {};
struct Throw {
  std::string what;
};
struct ThrowInt {};
struct Twice {};

class User : public Actor {
 public:
  explicit User(Blocking blocking) : blocking_(std::move(blocking)) {}

  Task<absl::StatusOr<size_t>> On(Length m) {
    auto run = blocking_.Run([text = m.text] { return text.size(); });
    co_return co_await run;
  }
  Task<absl::StatusOr<int>> On(Make) {
    absl::StatusOr<std::unique_ptr<int>> made =
        co_await blocking_.Run([] { return std::make_unique<int>(5); });
    if (!made.ok()) co_return made.status();
    auto moved = [p = *std::move(made)] { return *p + 1; };
    auto run = blocking_.Run(std::move(moved));
    co_return co_await run;
  }
  Task<absl::Status> On(Check m) {
    co_return co_await blocking_.Run([ok = m.ok] {
      return ok ? absl::OkStatus() : absl::DataLossError("bad sector");
    });
  }
  Task<absl::StatusOr<int>> On(Parse m) {
    auto run = blocking_.Run([text = m.text]() -> absl::StatusOr<int> {
      if (text != "one") return absl::InvalidArgumentError(text);
      return 1;
    });
    co_return co_await run;
  }
  Task<absl::Status> On(Nothing) {
    static_assert(std::is_same_v<decltype(blocking_.Run([] {}).await_resume()),
                                 absl::Status>);
    co_return co_await blocking_.Run([] {});
  }
  Task<absl::Status> On(Throw m) {
    auto run =
        blocking_.Run([what = m.what] { throw std::runtime_error(what); });
    co_return co_await run;
  }
  Task<absl::Status> On(ThrowInt) {
    co_return (co_await blocking_.Run([]() -> int { throw 3; })).status();
  }
  Task<absl::Status> On(Twice) {
    auto run = blocking_.Run([] { return 1; });
    if (!(co_await run).ok()) co_return absl::InternalError("once");
    co_return (co_await run).status();
  }

 private:
  const Blocking blocking_;
};

class BlockingSimTest : public ::testing::Test {
 protected:
  template <typename M>
  auto Ask(M message) {
    return sim_.Ask(user_, std::move(message), kSecond);
  }

  SimBus sim_{{.loops = 2}};
  std::unique_ptr<BlockingPool> pool_ = *BlockingPool::Create(
      sim_.bus(), {.threads = 0, .name = "pool", .loop = 0});
  Ref<User> user_ = sim_.Spawn<User>({.loop = 1}, pool_->blocking());
};

TEST_F(BlockingSimTest, WhatTheFunctionReturnsComesBack) {
  EXPECT_EQ(*Ask(Length{std::string(100, 'x')}), 100u);
  EXPECT_EQ(*Ask(Make{}), 6);
  EXPECT_EQ(Ask(Check{true}), absl::OkStatus());
  EXPECT_EQ(Ask(Check{false}), absl::DataLossError("bad sector"));
  EXPECT_EQ(*Ask(Parse{"one"}), 1);
  EXPECT_EQ(Ask(Parse{"two"}).status(), absl::InvalidArgumentError("two"));
  EXPECT_EQ(Ask(Nothing{}), absl::OkStatus());
}

TEST_F(BlockingSimTest, AnExceptionIsAnErrorAndThePoolGoesOn) {
  EXPECT_EQ(Ask(Throw{"disk full"}),
            absl::InternalError("the blocking function threw: disk full"));
  EXPECT_EQ(Ask(Throw{"a\nb"}),
            absl::InternalError("the blocking function threw: a\\x0ab"));
  EXPECT_EQ(Ask(ThrowInt{}),
            absl::InternalError("the blocking function threw something that is "
                                "no std::exception"));
  EXPECT_EQ(*Ask(Make{}), 6);
}

TEST_F(BlockingSimTest, ARunIsAwaitedOnce) {
  EXPECT_TRUE(absl::IsFailedPrecondition(Ask(Twice{}))) << Ask(Twice{});
}

TEST_F(BlockingSimTest, AfterTheEndOfThePoolARunIsNotFound) {
  pool_.reset();
  sim_.RunUntilIdle();
  const absl::Status gone = Ask(Nothing{});
  EXPECT_TRUE(absl::IsNotFound(gone)) << gone;
  EXPECT_TRUE(absl::StrContains(gone.message(), "pool has ended")) << gone;
}

TEST_F(BlockingSimTest, ABlockingOfNoPoolIsNotFound) {
  const auto user = sim_.Spawn<User>({}, Blocking());
  const absl::Status gone = sim_.Ask(user, Nothing{}, kSecond);
  EXPECT_TRUE(absl::IsNotFound(gone)) << gone;
}

TEST_F(BlockingSimTest, OptionsOutOfTheirRangeAreRefusedByName) {
  const auto expect_refused = [&](const BlockingPoolOptions& options,
                                  const char* field) {
    const absl::Status refused =
        BlockingPool::Create(sim_.bus(), options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), field)) << refused;
  };
  expect_refused({.threads = -1}, "BlockingPoolOptions::threads");
  expect_refused({.threads = BlockingPoolOptions::kMostThreads + 1},
                 "BlockingPoolOptions::threads");
  expect_refused({.max_waiting = BlockingPoolOptions::kMostWaiting + 1},
                 "BlockingPoolOptions::max_waiting");
  expect_refused({.threads = 0, .name = "NO"}, "NO");
  expect_refused({.threads = 0, .loop = 2}, "loop");
  expect_refused({.thread_name = "longer than that"},
                 "BlockingPoolOptions::thread_name");
  EXPECT_TRUE(absl::IsAlreadyExists(
      BlockingPool::Create(sim_.bus(), {.threads = 0, .name = "pool"})
          .status()));
}

}  // namespace
}  // namespace trolley
