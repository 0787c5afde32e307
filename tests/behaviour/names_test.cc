// SPDX-License-Identifier: Apache-2.0
//
// Names in virtual time.

#include "trolley/actors/behaviour/names.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using trolley::testing::ForEachSeed;
using trolley::testing::SimBus;

constexpr absl::Duration kSecond = absl::Seconds(1);

struct Query {};

class Db : public Actor {
 public:
  int On(const Query&) { return 7; }
};
class Other : public Actor {};

struct AwaitDb {
  std::string name;
  absl::Duration timeout;
};
struct ListNames {
  std::string prefix;
  uint32_t most;
};

class Client : public Actor {
 public:
  explicit Client(const Bus& bus) : names_(bus) {}

  Task<absl::StatusOr<int>> On(AwaitDb m) {
    absl::StatusOr<Ref<Db>> db = co_await names_.Await<Db>(m.name, m.timeout);
    if (!db.ok()) co_return db.status();
    auto asking = db->Ask(Query{}, kSecond);
    co_return co_await asking;
  }
  Task<NameList> On(ListNames m) {
    co_return co_await names_.List(m.prefix, m.most);
  }

 private:
  const Names names_;
};

class NamesTest : public ::testing::Test {
 protected:
  // Begins to wait for "db"; see reply_.
  void Await(absl::Duration timeout, const std::string& name = "db") {
    reply_.reset();
    client_.AskThen(AwaitDb{name, timeout}, absl::InfiniteDuration(),
                    [this](absl::StatusOr<int> reply) { reply_ = reply; });
    sim_.RunUntilIdle();
  }

  std::optional<absl::StatusOr<int>> reply_;
  SimBus sim_{{.loops = 2}};
  Ref<Client> client_ =
      sim_.Spawn<Client>({.name = "client", .loop = 1}, std::cref(sim_.bus()));
};

TEST_F(NamesTest, AnActorThatRunsIsThereAtOnce) {
  sim_.Spawn<Db>({.name = "db"});
  sim_.RunUntilIdle();
  Await(absl::ZeroDuration());
  ASSERT_TRUE(reply_.has_value());
  EXPECT_EQ(**reply_, 7);
}

TEST_F(NamesTest, ItWaitsUntilTheActorRuns) {
  Await(absl::InfiniteDuration());
  sim_.RunFor(absl::Hours(1));
  EXPECT_FALSE(reply_.has_value());
  sim_.Spawn<Db>({.name = "db", .loop = 0});
  sim_.RunFor(Names::kLongestPause);
  ASSERT_TRUE(reply_.has_value());
  EXPECT_EQ(**reply_, 7);
}

// The looks are few: 1, 2, 4 ... 64, 100, 100 ms.
TEST_F(NamesTest, ItLooksLessAndLessOften) {
  Await(absl::InfiniteDuration());
  std::vector<absl::Duration> pauses;
  for (int i = 0; i < 10; ++i) {
    const absl::Duration pause = sim_.bus().NextTimer() - sim_.Now();
    pauses.push_back(pause);
    sim_.RunFor(pause);
  }
  EXPECT_EQ(pauses.front(), Names::kFirstPause);
  EXPECT_EQ(pauses.back(), Names::kLongestPause);
  EXPECT_TRUE(std::is_sorted(pauses.begin(), pauses.end()));
}

TEST_F(NamesTest, TheTimeoutIsKeptExactly) {
  const Instant began = sim_.Now();
  Await(absl::Milliseconds(1234));
  ASSERT_TRUE(sim_.RunUntil([&] { return reply_.has_value(); }, kSecond * 2));
  EXPECT_EQ(sim_.Now() - began, absl::Milliseconds(1234));
  EXPECT_TRUE(absl::IsDeadlineExceeded(reply_->status())) << reply_->status();
  EXPECT_TRUE(absl::StrContains(reply_->status().message(), "\"db\""));
  EXPECT_TRUE(absl::StrContains(reply_->status().message(), "1.234s"));
}

TEST_F(NamesTest, AnActorOfAnotherClassIsAnErrorAtOnce) {
  sim_.Spawn<Other>({.name = "db"});
  sim_.RunUntilIdle();
  Await(absl::InfiniteDuration());
  ASSERT_TRUE(reply_.has_value());
  EXPECT_TRUE(absl::IsFailedPrecondition(reply_->status())) << reply_->status();
}

TEST_F(NamesTest, ANameThatNoActorCanHaveIsAnErrorAtOnce) {
  for (const char* name : {"", "DB", "d b"}) {
    Await(absl::InfiniteDuration(), name);
    ASSERT_TRUE(reply_.has_value()) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(reply_->status())) << reply_->status();
  }
}

TEST_F(NamesTest, TheShutdownEndsTheWait) {
  Await(absl::InfiniteDuration());
  sim_.Finish();
  ASSERT_TRUE(reply_.has_value());
  EXPECT_FALSE(reply_->ok());
}

// Asks for an actor that does not run, when the shutdown has begun.
class LateClient : public Actor {
 public:
  LateClient(const Bus& bus, std::optional<absl::Status>* said)
      : names_(bus), said_(*said) {}
  void OnDrain() override {
    RunInBackground([this]() -> Task<absl::Status> {
      said_ =
          (co_await names_.Await<Db>("db", absl::InfiniteDuration())).status();
      co_return absl::OkStatus();
    });
  }

 private:
  const Names names_;
  std::optional<absl::Status>& said_;
};

TEST_F(NamesTest, DuringAShutdownItDoesNotWait) {
  std::optional<absl::Status> said;
  sim_.Spawn<LateClient>({}, std::cref(sim_.bus()), &said);
  sim_.Finish();
  ASSERT_TRUE(said.has_value());
  EXPECT_TRUE(absl::IsUnavailable(*said)) << *said;
}

TEST_F(NamesTest, TheEndOfTheActorEndsTheWait) {
  Await(absl::InfiniteDuration());
  client_.Stop();
  sim_.RunFor(kSecond);
  EXPECT_TRUE(sim_.bus().NextTimer().is_infinite());
  ASSERT_TRUE(reply_.has_value());
  EXPECT_TRUE(absl::IsNotFound(reply_->status())) << reply_->status();
}

TEST_F(NamesTest, NamesAreListedByTheirPrefix) {
  for (const char* name : {"shard/2", "shard/10", "shard", "shared", "db"}) {
    sim_.Spawn<Other>({.name = name});
  }
  sim_.Spawn<Other>({});
  sim_.RunUntilIdle();
  const auto list = [&](const std::string& prefix, uint32_t most) {
    return *sim_.Ask(client_, ListNames{prefix, most}, kSecond);
  };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(list("shard/", 9).names, (Strings{"shard/10", "shard/2"}));
  EXPECT_EQ(list("shard", 9).names, (Strings{"shard", "shard/10", "shard/2"}));
  EXPECT_EQ(list("", 9).names, (Strings{"client", "db", "shard", "shard/10",
                                        "shard/2", "shared"}));
  EXPECT_TRUE(list("", 6).all);
  EXPECT_EQ(list("", 6).names.size(), 6u);
  EXPECT_FALSE(list("", 5).all);
  EXPECT_EQ(list("", 5).names.size(), 5u);
  EXPECT_FALSE(list("", 0).all);
  EXPECT_TRUE(list("nothing", 0).all);
  EXPECT_TRUE(list("nothing", 0).names.empty());
}

// Actors start and end while the list is made, on several loops: those that run
// all the time are in it once, and each other one at most once.
TEST(NamesChurnTest, ActorsThatRunAllTheTimeAreListedOnce) {
  ForEachSeed(20, [](uint64_t seed) {
    SimBus sim({.loops = 3, .seed = seed});
    const auto client = sim.Spawn<Client>({}, std::cref(sim.bus()));
    std::vector<std::string> all_the_time;
    for (int i = 0; i < 700; ++i) {
      all_the_time.push_back(absl::StrCat("stay/", i));
      sim.Spawn<Other>({.name = all_the_time.back()});
    }
    std::sort(all_the_time.begin(), all_the_time.end());
    std::vector<Ref<Other>> churn;
    const auto respawn = [&](int i) {
      if (i < static_cast<int>(churn.size())) churn[i].Stop();
      auto spawned = sim.bus().Spawn<Other>(
          {.name =
               absl::StrCat("churn/", i, "/", sim.world().random().Next())});
      if (i < static_cast<int>(churn.size())) {
        churn[i] = *spawned;
      } else {
        churn.push_back(*spawned);
      }
    };
    for (int i = 0; i < 50; ++i) respawn(i);
    std::optional<NameList> list;
    client.AskThen(ListNames{"", 100'000}, absl::InfiniteDuration(),
                   [&](absl::StatusOr<NameList> reply) { list = *reply; });
    for (int i = 0; i < 50; ++i) {
      respawn(i);
      sim.bus().RunUntilIdle();
    }
    ASSERT_TRUE(list.has_value());
    EXPECT_TRUE(list->all);
    EXPECT_TRUE(std::is_sorted(list->names.begin(), list->names.end()));
    EXPECT_EQ(std::adjacent_find(list->names.begin(), list->names.end()),
              list->names.end());
    EXPECT_TRUE(std::includes(list->names.begin(), list->names.end(),
                              all_the_time.begin(), all_the_time.end()));
  });
}

TEST(NamesEndTest, TheActorMayEndWhileAPageIsOnItsWay) {
  SimBus sim({.loops = 2});
  const auto client = sim.Spawn<Client>({.loop = 1}, std::cref(sim.bus()));
  sim.Spawn<Other>({.name = "a", .loop = 0});
  sim.RunUntilIdle();
  for (const bool stopped_first : {false, true}) {
    if (stopped_first) client.Stop();
    client.Tell(ListNames{"", 9});
    if (!stopped_first) client.Stop();
    sim.RunUntilIdle();
  }
  EXPECT_EQ(sim.bus().CountActors(), 1u);
}

}  // namespace
}  // namespace trolley
