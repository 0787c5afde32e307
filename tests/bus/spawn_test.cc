// SPDX-License-Identifier: Apache-2.0
//
// How a bus and its actors begin: what Create, Spawn and Find refuse, and the
// text of each error.

#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"

namespace trolley {
namespace {

using ::testing::HasSubstr;

struct Ping {};

class Quiet : public Actor {
 public:
  void On(const Ping&) {}
};
class OtherQuiet : public Actor {
 public:
  void On(const Ping&) {}
};

// Says when it has gone.
class Mortal : public Actor {
 public:
  explicit Mortal(absl::Notification* gone) : gone_(gone) {}
  ~Mortal() override { gone_->Notify(); }
  void On(const Ping&) {}

 private:
  absl::Notification* gone_;
};

TEST(CreateTest, ABusWithoutLoopsIsRefused) {
  EXPECT_EQ(Bus::Create({.loops = {}}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      Bus::Create({.loops = std::vector<LoopOptions>(256)}).status().code(),
      absl::StatusCode::kInvalidArgument);
}

// A constructor that can fail would have to end the process to say so.
TEST(CreateTest, TheOnlyWayToABusSaysWhatItDoesWithAnError) {
  static_assert(!std::is_constructible_v<Bus, BusOptions>);
  EXPECT_EXIT(Bus::CreateOrDie({.loops = {{.poller = "nosuch"}}}),
              testing::ExitedWithCode(1),
              "cannot start the bus: NOT_FOUND: loop 0: .*nosuch");
  EXPECT_EXIT(Bus::CreateOrDie({.loops = {}}), testing::ExitedWithCode(1),
              "cannot start the bus: INVALID_ARGUMENT: BusOptions::loops");
  Bus bus = Bus::CreateOrDie({});
  EXPECT_TRUE(bus.Spawn<Quiet>({}).ok());
}

// Each value of each enumeration that people meet prints as its word, to a
// stream and in GoogleTest. The last value stands for how many there are.
template <typename Enum, typename Name>
void EachValuePrintsAsItsWord(Enum last, const Name& name) {
  std::set<std::string> words;
  const int values = static_cast<int>(last) + 1;
  for (int i = 0; i < values; ++i) {
    const auto value = static_cast<Enum>(i);
    const std::string word(name(value));
    std::ostringstream stream;
    stream << value;
    EXPECT_EQ(stream.str(), word);
    EXPECT_EQ(testing::PrintToString(value), word);
    words.insert(word);
  }
  EXPECT_EQ(words.size(), values);
  EXPECT_EQ(words.count("unknown"), 0);
}

TEST(PrintingTest, EnumerationsPrintAsWords) {
  EachValuePrintsAsItsWord(Delivery::kNotConnected, DeliveryName);
  EachValuePrintsAsItsWord(NoAnswer::kGone, NoAnswerName);
  EachValuePrintsAsItsWord(SysCall::kMunmap, SysCallName);
}

// What absl::StrCat calls, in versions that know it.
TEST(PrintingTest, AWordForAbseilToo) {
  struct Sink {
    std::string text;
    void Append(absl::string_view more) {
      text.append(more.data(), more.size());
    }
  } sink;
  AbslStringify(sink, Delivery::kFull);
  AbslStringify(sink, NoAnswer::kExpired);
  AbslStringify(sink, SysCall::kReadv);
  EXPECT_EQ(sink.text, "fullexpiredreadv");
}

TEST(CreateTest, AnUnknownPollerIsRefusedAndTheLoopNamed) {
  const absl::Status first =
      Bus::Create({.loops = {{.poller = "nosuch"}}}).status();
  EXPECT_EQ(first.code(), absl::StatusCode::kNotFound) << first;
  EXPECT_THAT(std::string(first.message()), HasSubstr("loop 0"));
  EXPECT_THAT(std::string(first.message()), HasSubstr("nosuch"));
  const absl::Status second =
      Bus::Create({.loops = {{.poller = "epoll"}, {.poller = "nosuch"}}})
          .status();
  EXPECT_EQ(second.code(), absl::StatusCode::kNotFound) << second;
  EXPECT_THAT(std::string(second.message()), HasSubstr("loop 1"));
}

TEST(CreateTest, BudgetsOfNothingAreRefused) {
  for (const LoopOptions& loop : {LoopOptions{.messages_per_slice = 0},
                                  LoopOptions{.messages_per_turn = 0},
                                  LoopOptions{.events_per_wait = 0}}) {
    EXPECT_EQ(Bus::Create({.loops = {loop}}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

using SpawnTest = BusFixture;
TROLLEY_FOR_EACH_BUS(SpawnTest);

TEST_P(SpawnTest, BadNamesAreRefused) {
  Bus& bus = Start();
  for (const std::string& name :
       {std::string("Upper"), std::string("a b"), std::string("a\nb"),
        std::string("\xc3\xa9"), std::string(129, 'a'),
        std::string("nul\0nul", 7)}) {
    EXPECT_EQ(bus.Spawn<Quiet>({.name = name}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
  EXPECT_TRUE(bus.Spawn<Quiet>({.name = std::string(128, 'a')}).ok());
  EXPECT_TRUE(bus.Spawn<Quiet>({.name = "a-z_0.9/x"}).ok());
}

TEST_P(SpawnTest, ATakenNameIsFreeAgainAfterTheEnd) {
  Bus& bus = Start();
  for (int round = 0; round < 200; ++round) {
    absl::Notification gone;
    auto first = bus.Spawn<Mortal>({.name = "one"}, &gone);
    ASSERT_TRUE(first.ok()) << first.status();
    const absl::Status taken = bus.Spawn<Quiet>({.name = "one"}).status();
    ASSERT_EQ(taken.code(), absl::StatusCode::kAlreadyExists) << taken;
    ASSERT_EQ(bus.Find<Mortal>("one")->id(), first->id());
    first->Stop();
    Await(gone);
    if (Look(); bus.Find<Mortal>("one").ok()) FAIL() << "it keeps its name";
    ASSERT_EQ(first->Tell(Ping{}), Delivery::kGone);
    ASSERT_EQ(first->Stop(), Delivery::kGone);
  }
}

TEST_P(SpawnTest, FindSaysWhatIsWrong) {
  Bus& bus = Start();
  ASSERT_TRUE(bus.Spawn<Quiet>({.name = "quiet"}).ok());
  EXPECT_TRUE(bus.Find<Quiet>("quiet").ok());
  EXPECT_EQ(bus.Find<Quiet>("nobody").status().code(),
            absl::StatusCode::kNotFound);
  const absl::Status other = bus.Find<OtherQuiet>("quiet").status();
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(other.message()), HasSubstr("OtherQuiet"));
}

TEST_P(SpawnTest, NoSuchLoopAndNoRoomAreRefused) {
  Bus& bus = Start();
  for (int loop : {loops(), 1000, -2}) {
    EXPECT_EQ(bus.Spawn<Quiet>({.loop = loop}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(bus.Spawn<Quiet>({.mailbox_capacity = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// Spawns others like it, from within.
struct Multiply {};
class Breeder : public Actor {
 public:
  int64_t On(const Multiply&) {
    int64_t born = 0;
    while (Spawn<Quiet>({}).ok()) ++born;
    return born;
  }
};

TEST_P(SpawnTest, MaxActorsIsExactWhoeverSpawns) {
  for (uint32_t most : {1u, 2u, 70u, 300u}) {
    Bus& bus = Start([&](BusOptions& options) {
      for (LoopOptions& loop : options.loops) loop.max_actors = most;
    });
    // From outside, again and again: a place comes back with each end.
    for (int round = 0; round < 3; ++round) {
      std::vector<std::unique_ptr<absl::Notification>> gone;
      std::vector<Ref<Mortal>> actors;
      for (uint32_t i = 0; i < most; ++i) {
        gone.push_back(std::make_unique<absl::Notification>());
        auto actor = bus.Spawn<Mortal>({.loop = 0}, gone.back().get());
        ASSERT_TRUE(actor.ok()) << "round " << round << ", actor " << i
                                << " of " << most << ": " << actor.status();
        actors.push_back(*actor);
      }
      absl::Notification never;
      ASSERT_EQ(bus.Spawn<Mortal>({.loop = 0}, &never).status().code(),
                absl::StatusCode::kResourceExhausted);
      for (Ref<Mortal>& actor : actors) actor.Stop();
      for (auto& one : gone) Await(*one);
      Look();
    }
  }
}

TEST_P(SpawnTest, MaxActorsIsExactFromWithin) {
  if (simulated()) GTEST_SKIP() << "a simulated bus has no blocking ask";
  constexpr uint32_t kMost = 10;
  Bus& bus = Start([&](BusOptions& options) {
    for (LoopOptions& loop : options.loops) loop.max_actors = kMost;
  });
  auto breeder = bus.Spawn<Breeder>({.loop = 0});
  EXPECT_EQ(breeder->AskAndWait(Multiply{}, absl::Seconds(100)).value(),
            kMost - 1);
  EXPECT_EQ(bus.Spawn<Quiet>({.loop = 0}).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_P(SpawnTest, ADrainingBusStartsNobody) {
  Bus& bus = Start();
  auto quiet = bus.Spawn<Quiet>({});
  bus.Shutdown(absl::Seconds(5));
  EXPECT_EQ(bus.Spawn<Quiet>({}).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(quiet->Tell(Ping{}), Delivery::kDraining);
}

// A tree of actors starts depth first, and siblings in the order in which they
// were spawned.
class Branch : public Actor {
 public:
  Branch(std::string path, std::string* order)
      : path_(std::move(path)), order_(*order) {}
  void OnStart() override {
    order_ += path_ + " ";
    if (path_.size() == 3) return;
    for (const char* child : {"a", "b"}) {
      EXPECT_TRUE(Spawn<Branch>({}, path_ + child, &order_).ok());
    }
  }

 private:
  const std::string path_;
  std::string& order_;
};

TEST(SpawnOrderTest, ATreeStartsDepthFirst) {
  std::string order;
  Bus bus =
      Bus::CreateOrDie({.loops = {{}}, .for_tests = {.single_threaded = true}});
  ASSERT_TRUE(bus.Spawn<Branch>({}, "r", &order).ok());
  bus.RunUntilIdle();
  EXPECT_EQ(order, "r ra raa rab rb rba rbb ");
}

}  // namespace
}  // namespace trolley
