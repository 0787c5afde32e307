// SPDX-License-Identifier: Apache-2.0
//
// Every verb with every form of a message: copied, moved, built in place, and
// by its type and arguments. Each message arrives whole, and what it owns is
// destroyed once; sanitizers check the rest. compile_fail_test.sh has the code
// that must not compile.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/tests/bus/bus_fixture.h"

namespace trolley {
namespace {

using ::testing::Each;
using ::testing::SizeIs;

// Too long to lie in the string itself.
constexpr char kText[] = "a text that is longer than any small string is";

// A struct without a constructor, which owns something.
struct Text {
  std::string text;
  std::shared_ptr<int> alive;
};
struct Unmovable {
  explicit Unmovable(int n) : number(n) {}
  Unmovable(const Unmovable&) = delete;
  std::atomic<int> number;
};
struct Go {};

class Reader : public Actor {
 public:
  explicit Reader(std::vector<std::string>* seen) : seen_(*seen) {}
  std::string On(const Text& m) {
    seen_.push_back(m.text);
    return m.text;
  }
  void On(const char* text) { seen_.push_back(text); }
  void On(const std::string& text) { seen_.push_back(text); }
  void On(const Unmovable& m) { seen_.push_back(std::to_string(m.number)); }

 private:
  std::vector<std::string>& seen_;
};
using Texts = Protocol<std::string(Text), const char*>;

template <typename To>
class Writer : public Actor {
 public:
  Writer(Ref<To> to, std::shared_ptr<int> alive)
      : to_(to), alive_(std::move(alive)) {}

  Task<absl::Status> On(Go) {
    const absl::Duration t = absl::Seconds(1);
    const Text there = New();
    Text moved[4] = {New(), New(), New(), New()};

    to_.Tell(there);
    to_.Tell(std::move(moved[0]));
    to_.Tell(New());
    to_.Tell(Text{.text = kText, .alive = alive_});
    to_.template Tell<Text>(kText, alive_);
    to_.template Tell<Text>(there);
    to_.template Tell<const char*>(kText);

    to_.TellWith({}, there);
    to_.TellWith({}, std::move(moved[1]));
    to_.TellWith({}, Text{.text = kText, .alive = alive_});
    to_.template TellWith<Text>({}, kText, alive_);

    // In variables: g++ 12 takes no (co_await x).f() in a template.
    absl::Status sent = co_await to_.Send(there);
    sent = co_await to_.template Send<Text>(kText, alive_);
    auto sending = to_.Send(std::move(moved[2]));
    sent = co_await sending;
    auto made = to_.Send(Text{.text = kText, .alive = alive_});
    sent = co_await made;

    absl::StatusOr<std::string> reply = co_await to_.Ask(there, t);
    reply = co_await to_.template Ask<Text>(t, kText, alive_);
    auto asking = to_.Ask(std::move(moved[3]), t);
    reply = co_await asking;
    auto asked = to_.Ask(Text{.text = kText, .alive = alive_}, t);
    reply = co_await asked;
    co_return reply.status();
  }

 private:
  Text New() { return {.text = kText, .alive = alive_}; }

  Ref<To> to_;
  std::shared_ptr<int> alive_;
};

class VerbsTest : public BusFixture {};
INSTANTIATE_TEST_SUITE_P(Forms, VerbsTest,
                         testing::Values(BusForm{"sim", 1}, BusForm{"sim", 2}),
                         BusFormName);

template <typename To>
void WriteEverything(Bus& bus, int loop, const std::function<void()>& settle) {
  std::vector<std::string> seen;
  auto alive = std::make_shared<int>();
  const Ref<To> reader = *bus.Spawn<Reader>({.loop = loop}, &seen);
  auto writer = *bus.Spawn<Writer<To>>({.loop = 0}, reader, alive);
  writer.template Tell<Go>();
  settle();
  EXPECT_THAT(seen, SizeIs(19));
  EXPECT_THAT(seen, Each(kText));
  writer.Stop();
  settle();
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_P(VerbsTest, EveryFormOfAMessageArrivesAndIsDestroyedOnce) {
  const auto settle = [this] { Settle(); };
  WriteEverything<Reader>(Start(), LoopAt(1), settle);
  WriteEverything<Texts>(Start(), LoopAt(1), settle);
}

class Alarm : public Actor {
 public:
  explicit Alarm(std::vector<std::string>* seen) : seen_(*seen) {}
  void OnStart() override {
    TellAfter(this, absl::Seconds(1), Text{.text = kText});
    TellAfter<Text>(this, absl::Seconds(1), kText);
    TellAfter<const char*>(this, absl::Seconds(1), kText);
    const Text there{.text = kText};
    TellAfter(this, absl::Seconds(1), there);
  }
  void On(const Text& m) { seen_.push_back(m.text); }
  void On(const char* text) { seen_.push_back(text); }

 private:
  std::vector<std::string>& seen_;
};

TEST_P(VerbsTest, ATimerTakesAMessageInEveryForm) {
  Bus& bus = Start();
  std::vector<std::string> seen;
  ASSERT_TRUE(bus.Spawn<Alarm>({}, &seen).ok());
  Settle();
  EXPECT_THAT(seen, SizeIs(4));
  EXPECT_THAT(seen, Each(kText));
}

TEST_P(VerbsTest, AMessageThatCannotBeMovedIsBuiltWhereItTravels) {
  Bus& bus = Start();
  std::vector<std::string> seen;
  auto reader = *bus.Spawn<Reader>({.loop = LoopAt(1)}, &seen);
  EXPECT_EQ(reader.Tell<Unmovable>(7), Delivery::kAccepted);
  EXPECT_EQ(reader.Tell<std::string>(3, 'x'), Delivery::kAccepted);
  Settle();
  EXPECT_THAT(seen, testing::ElementsAre("7", "xxx"));
}

// What is refused is not moved from, nor are the parts of what is not built.
TEST_P(VerbsTest, P2_WhatIsRefusedStaysWithItsSender) {
  Bus& bus = Start();
  std::vector<std::string> seen;
  auto reader = *bus.Spawn<Reader>({.mailbox_capacity = 1}, &seen);
  Text text{.text = kText};
  EXPECT_EQ(reader.Tell(text), Delivery::kAccepted);
  EXPECT_EQ(reader.Tell(std::move(text)), Delivery::kFull);
  EXPECT_EQ(text.text, kText);
  EXPECT_EQ(reader.Tell<Text>(std::move(text.text)), Delivery::kFull);
  EXPECT_EQ(text.text, kText);
  Settle();
  EXPECT_EQ(reader.Tell<Text>(std::move(text.text)), Delivery::kAccepted);
  Settle();
}

}  // namespace
}  // namespace trolley
