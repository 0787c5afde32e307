// SPDX-License-Identifier: Apache-2.0
//
// Of each key only the newest value waits (actors/behaviour/conflated.h).

#include "trolley/actors/behaviour/conflated.h"

#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SimBus;

struct Hold {};
struct Read {};
struct TakeTwice {};
using Lines = std::vector<std::string>;
using Prices = Latest<std::string, int>;

class Screen : public Actor {
 public:
  explicit Screen(Lines* lines) : lines_(lines) {}
  void On(Prices m) {
    const std::string key = m.key();
    lines_->push_back(absl::StrCat(key, "=", m.Take()));
    if (key == "twice") m.Take();
  }
  Task<absl::Status> On(Hold) {
    co_await Sleep(absl::Seconds(1));
    co_return absl::OkStatus();
  }

 private:
  Lines* const lines_;
};

class ConflatedTest : public ::testing::Test {
 protected:
  Ref<Screen> Spawn(uint32_t capacity = 1024) {
    return sim_.Spawn<Screen>({.mailbox_capacity = capacity}, &lines_);
  }
  void BeBusy(const Ref<Screen>& screen) {
    screen.Tell(Hold{});
    sim_.RunUntilIdle();
  }

  SimBus sim_;
  Lines lines_;
};

TEST_F(ConflatedTest, ANewerValueTakesThePlaceOfTheOlder) {
  const Ref<Screen> screen = Spawn();
  Conflated<Screen, std::string, int> prices(screen);
  BeBusy(screen);
  for (int i = 1; i <= 100; ++i) {
    EXPECT_EQ(prices.Tell("a", i), Delivery::kAccepted);
    EXPECT_EQ(prices.Tell("b", -i), Delivery::kAccepted);
  }
  EXPECT_EQ(sim_.ledger().attempted, 3u);
  EXPECT_EQ(prices.replaced(), 198u);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(lines_, ElementsAre("a=100", "b=-100"));
  EXPECT_EQ(prices.Tell("a", 7), Delivery::kAccepted);
  sim_.RunUntilIdle();
  EXPECT_THAT(lines_, ElementsAre("a=100", "b=-100", "a=7"));
}

TEST_F(ConflatedTest, AFullMailboxRefusesANewKeyAndNoOldOne) {
  const Ref<Screen> screen = Spawn(3);
  Conflated<Screen, std::string, int> prices(screen);
  BeBusy(screen);
  EXPECT_EQ(prices.Tell("a", 1), Delivery::kAccepted);
  EXPECT_EQ(prices.Tell("b", 1), Delivery::kAccepted);
  EXPECT_EQ(prices.Tell("c", 1), Delivery::kFull);
  EXPECT_EQ(prices.Tell("a", 2), Delivery::kAccepted);
  EXPECT_EQ(prices.Tell("c", 2), Delivery::kFull);  // it was not kept
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(lines_, ElementsAre("a=2", "b=1"));
}

TEST_F(ConflatedTest, TheEndOfTheActorDropsWhatWaits) {
  const Ref<Screen> screen = Spawn();
  Conflated<Screen, std::string, int> prices(screen);
  BeBusy(screen);
  prices.Tell("a", 1);
  screen.Stop();
  sim_.RunUntilIdle();
  EXPECT_EQ(prices.Tell("a", 2), Delivery::kGone);
  EXPECT_EQ(prices.Tell("a", 3), Delivery::kGone);
  EXPECT_EQ(prices.replaced(), 0u);
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(ConflatedTest, TheMessagesOutliveIt) {
  const Ref<Screen> screen = Spawn();
  {
    Conflated<Screen, std::string, int> prices(screen);
    Conflated<Screen, std::string, int> same = prices;
    prices.Tell("a", 1);
    same.Tell("a", 2);
  }
  sim_.RunUntilIdle();
  EXPECT_THAT(lines_, ElementsAre("a=2"));
}

TEST_F(ConflatedTest, ASecondTakeEndsTheActor) {
  const Ref<Screen> screen = Spawn();
  Conflated<Screen, std::string, int> prices(screen);
  prices.Tell("twice", 1);
  sim_.RunUntilIdle();
  EXPECT_EQ(sim_.ledger().failed, 1u);
  EXPECT_EQ(prices.Tell("a", 1), Delivery::kGone);
}

// Threads that send at the same time: the last value of each key arrives, and
// the values of a key arrive in order.
class Newest : public Actor {
 public:
  void On(Latest<int, int> m) {
    int& newest = values_[m.key()];
    const int value = m.Take();
    EXPECT_GT(value, newest);
    newest = value;
  }
  std::map<int, int> On(const Read&) { return values_; }

 private:
  std::map<int, int> values_;
};

TEST(ConflatedThreadsTest, TheLastValueOfEachKeyArrives) {
  constexpr int kThreads = 4;
  constexpr int kValues = 20000;
  Bus bus = Bus::CreateOrDie({});
  const Ref<Newest> newest =
      *bus.Spawn<Newest>({.mailbox_capacity = 16 * kThreads});
  Conflated<Newest, int, int> values(newest);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 1; i <= kValues; ++i) {
        EXPECT_EQ(values.Tell(t, i), Delivery::kAccepted);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto read = newest.AskAndWait(Read{}, absl::InfiniteDuration());
  ASSERT_TRUE(read.ok()) << read.status();
  for (int t = 0; t < kThreads; ++t) EXPECT_EQ(read->at(t), kValues);
  EXPECT_TRUE(bus.Shutdown(absl::InfiniteDuration()).ledger.Balances());
}

}  // namespace
}  // namespace trolley
