// SPDX-License-Identifier: Apache-2.0
//
// What a full mailbox does: urgent messages, the reserve for them, and
// Overflow::kDropOldest (bus/options.h). Sends and asks that wait for room for
// a time (actors/send.h, actors/ask_when_room.h). In virtual time.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/actors/watch.h"

namespace trolley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SimBus;

struct Ordinary {
  int number;
};
struct Urgent {
  static constexpr bool kUrgent = true;
  int number;
};
struct Hold {};  // the handler takes a second
struct WatchThis {
  Address actor;
};
struct Boom {};

using Numbers = std::vector<int>;

// Keeps the numbers of what it handles; those of urgent messages are negative.
class Keeper : public Actor {
 public:
  explicit Keeper(Numbers* numbers) : numbers_(numbers) {}
  int On(const Ordinary& m) {
    numbers_->push_back(m.number);
    return m.number;
  }
  int On(const Urgent& m) {
    numbers_->push_back(-m.number);
    return -m.number;
  }
  Task<absl::Status> On(Hold) {
    co_await Sleep(absl::Seconds(1));
    co_return absl::OkStatus();
  }
  void On(const WatchThis& m) {
    watches_.push_back(std::make_unique<Watch>(Self(this), m.actor));
  }
  void On(const Down&) { numbers_->push_back(0); }
  void On(const Boom&) { throw std::runtime_error("boom"); }

 private:
  Numbers* const numbers_;
  std::vector<std::unique_ptr<Watch>> watches_;
};

struct Send {
  Ref<Keeper> to;
  bool urgent;
  int count;
};
struct SendFor {
  Ref<Keeper> to;
  absl::Duration within;
};
struct AskFor {
  Ref<Keeper> to;
  absl::Duration within;
};
struct AskThree {
  Ref<Keeper> to;
};

// Sends from its own loop.
class Sender : public Actor {
 public:
  static constexpr bool kInterleaved = true;

  // How many were accepted.
  int On(const Send& m) {
    int accepted = 0;
    for (int i = 1; i <= m.count; ++i) {
      const Delivery taken =
          m.urgent ? m.to.Tell(Urgent{i}) : m.to.Tell(Ordinary{i});
      accepted += taken == Delivery::kAccepted;
    }
    return accepted;
  }
  Task<absl::Status> On(SendFor m) {
    co_return co_await m.to.SendWithin<Ordinary>(m.within, 100);
  }
  Task<absl::StatusOr<int>> On(AskFor m) {
    co_return co_await m.to.AskWhenRoom<Ordinary>(m.within, 200);
  }
  // Three asks at once, kept in a container that moves them.
  Task<absl::StatusOr<int>> On(AskThree m) {
    using Ask = decltype(m.to.Ask(Ordinary{1}, absl::Seconds(1)));
    std::vector<Ask> asks;
    for (int i = 1; i <= 3; ++i) {
      asks.push_back(m.to.Ask(Ordinary{i}, absl::Seconds(5)));
    }
    Ask last = std::move(asks.back());
    Ask& empty = asks.back();
    absl::Status moved_from = (co_await empty).status();
    EXPECT_EQ(moved_from.code(), absl::StatusCode::kFailedPrecondition);
    asks.pop_back();
    int sum = 0;
    for (Ask& ask : asks) {
      absl::StatusOr<int> got = co_await ask;
      if (!got.ok()) co_return got.status();
      sum += *got;
    }
    absl::StatusOr<int> got = co_await last;
    if (!got.ok()) co_return got.status();
    co_return sum + *got;
  }
};

// The sender lives on the loop of the keeper, or on another one.
class LimitsTest : public ::testing::TestWithParam<int> {
 protected:
  LimitsTest() : sim_({.loops = GetParam()}) {
    sender_ = sim_.Spawn<Sender>({.loop = GetParam() - 1});
  }
  Ref<Keeper> Spawn(SpawnOptions options) {
    options.loop = 0;
    options.name = "keeper";
    return sim_.Spawn<Keeper>(options, &numbers_);
  }
  // The next messages wait in the mailbox for a second.
  void BeBusy(const Ref<Keeper>& keeper) {
    EXPECT_EQ(keeper.Tell(Hold{}), Delivery::kAccepted);
    sim_.RunUntilIdle();
  }
  int SendFrom(const Ref<Keeper>& to, bool urgent, int count) {
    return *sim_.Ask(sender_, Send{to, urgent, count}, absl::Seconds(0.5));
  }
  uint32_t DepthOf(const Ref<Keeper>& keeper) {
    std::optional<ActorInfo> info;
    EXPECT_TRUE(sim_.bus().InspectActor(
        keeper.address(),
        [&](std::optional<ActorInfo> got) { info = std::move(got); }));
    sim_.RunUntilIdle();
    return info->depth;
  }

  SimBus sim_;
  Numbers numbers_;
  Ref<Sender> sender_;
};

TEST_P(LimitsTest, P1_UrgentMessagesGoFirstAndKeepTheirOrder) {
  const Ref<Keeper> keeper = Spawn({});
  BeBusy(keeper);
  EXPECT_EQ(SendFrom(keeper, false, 2), 2);
  EXPECT_EQ(SendFrom(keeper, true, 3), 3);
  EXPECT_EQ(keeper.Tell(Ordinary{3}), Delivery::kAccepted);
  EXPECT_EQ(DepthOf(keeper), 7u);  // with the one that is suspended
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(numbers_, ElementsAre(-1, -2, -3, 1, 2, 3));
  EXPECT_EQ(DepthOf(keeper), 0u);
}

TEST_P(LimitsTest, P6_TheReserveIsForUrgentMessagesOnly) {
  const Ref<Keeper> keeper =
      Spawn({.mailbox_capacity = 10, .urgent_reserve = 3});
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    BeBusy(keeper);  // holds one place
    EXPECT_EQ(SendFrom(keeper, false, 20), 6);
    EXPECT_EQ(keeper.Tell(Ordinary{1}), Delivery::kFull);
    EXPECT_EQ(SendFrom(keeper, true, 1), 1);
    EXPECT_EQ(keeper.Tell(Urgent{2}), Delivery::kAccepted);
    EXPECT_EQ(keeper.Tell(Urgent{3}), Delivery::kAccepted);
    EXPECT_EQ(keeper.Tell(Urgent{4}), Delivery::kFull);
    EXPECT_EQ(SendFrom(keeper, true, 1), 0);
    EXPECT_EQ(DepthOf(keeper), 10u);
    sim_.RunFor(absl::Seconds(1));
    EXPECT_EQ(numbers_.size(), 9u);
    numbers_.clear();
  }
}

TEST_P(LimitsTest, P6_AnUrgentAskIsAnsweredByAnActorWithAFullMailbox) {
  const Ref<Keeper> keeper =
      Spawn({.mailbox_capacity = 4, .urgent_reserve = 1});
  BeBusy(keeper);
  SendFrom(keeper, false, 9);
  EXPECT_EQ(sim_.Ask(keeper, Ordinary{1}, absl::Seconds(5)).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(*sim_.Ask(keeper, Urgent{7}, absl::Seconds(5)), -7);
  EXPECT_THAT(numbers_, ElementsAre(-7, 1, 2));
}

// One that waits for room does not get the reserve either.
TEST_P(LimitsTest, P6_WaitingSendersLeaveTheReserve) {
  const Ref<Keeper> keeper =
      Spawn({.mailbox_capacity = 4, .urgent_reserve = 2});
  BeBusy(keeper);
  EXPECT_EQ(SendFrom(keeper, false, 9), 1);
  std::vector<absl::Status> sent;
  for (int i = 0; i < 4; ++i) {
    sender_.AskThen(SendFor{keeper, absl::Seconds(5)}, absl::Seconds(9),
                    [&](absl::Status got) { sent.push_back(got); });
  }
  sim_.RunUntilIdle();
  EXPECT_THAT(sent, IsEmpty());
  EXPECT_EQ(SendFrom(keeper, true, 9), 2);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(sent, ElementsAre(absl::OkStatus(), absl::OkStatus(),
                                absl::OkStatus(), absl::OkStatus()));
  BeBusy(keeper);
  EXPECT_EQ(SendFrom(keeper, false, 9), 1);
  EXPECT_EQ(SendFrom(keeper, true, 9), 2);
}

TEST_P(LimitsTest, P6_TheReserveIsFullBeforeAWaitingSenderGetsRoom) {
  const Ref<Keeper> keeper =
      Spawn({.mailbox_capacity = 4, .urgent_reserve = 2});
  BeBusy(keeper);
  EXPECT_EQ(keeper.Tell(Hold{}), Delivery::kAccepted);
  EXPECT_EQ(SendFrom(keeper, true, 9), 2);
  std::vector<absl::Status> sent;
  for (int i = 0; i < 2; ++i) {
    sender_.AskThen(SendFor{keeper, absl::Seconds(5)}, absl::Seconds(9),
                    [&](absl::Status got) { sent.push_back(got); });
  }
  // Three places come free. The second Hold keeps one.
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ(numbers_.size(), 2u);
  EXPECT_THAT(sent, ElementsAre(absl::OkStatus()));
  EXPECT_EQ(SendFrom(keeper, true, 9), 2);
  sim_.RunFor(absl::Seconds(2));
  EXPECT_THAT(sent, ElementsAre(absl::OkStatus(), absl::OkStatus()));
}

TEST_P(LimitsTest, P6_AnUrgentMessageThatIsUselessHoldsNothing) {
  const Ref<Keeper> keeper = Spawn({.mailbox_capacity = 2});
  BeBusy(keeper);
  EXPECT_EQ(keeper.TellWith({.deadline = sim_.Now() + absl::Milliseconds(100)},
                            Urgent{1}),
            Delivery::kAccepted);
  EXPECT_EQ(keeper.Tell(Urgent{2}), Delivery::kFull);
  sim_.RunFor(absl::Milliseconds(200));
  EXPECT_EQ(sim_.ledger().expired, 1u);
  EXPECT_EQ(keeper.Tell(Urgent{3}), Delivery::kAccepted);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(numbers_, ElementsAre(-3));
}

TEST_P(LimitsTest, P6_OfTooManyTheNewestStay) {
  for (const uint32_t capacity : {1u, 4u, 100u}) {
    SCOPED_TRACE(capacity);
    const uint64_t before = sim_.ledger().dropped;
    const Ref<Keeper> keeper = Spawn(
        {.mailbox_capacity = capacity, .overflow = Overflow::kDropOldest});
    BeBusy(keeper);
    EXPECT_EQ(SendFrom(keeper, false, 500), 500);
    EXPECT_EQ(DepthOf(keeper), capacity + 1);
    EXPECT_EQ(sim_.ledger().dropped - before, 500 - capacity);
    EXPECT_EQ(SendFrom(keeper, true, 1), 1);  // is not counted among them
    EXPECT_EQ(DepthOf(keeper), capacity + 2);
    sim_.RunFor(absl::Seconds(1));
    Numbers expected = {-1};
    for (uint32_t i = 0; i < capacity; ++i) {
      expected.push_back(static_cast<int>(500 - capacity + i + 1));
    }
    EXPECT_EQ(numbers_, expected);
    numbers_.clear();
    keeper.Stop();
    sim_.RunUntilIdle();
  }
}

TEST_P(LimitsTest, P6_ManyOnTheirWayAreRefused) {
  const Ref<Keeper> keeper =
      Spawn({.mailbox_capacity = 10, .overflow = Overflow::kDropOldest});
  sim_.RunUntilIdle();
  const int most = 10 + SpawnOptions::kMostOnTheWay;
  int accepted = 0;
  while (keeper.Tell(Ordinary{accepted + 1}) == Delivery::kAccepted) ++accepted;
  EXPECT_EQ(accepted, most);
  sim_.RunUntilIdle();
  EXPECT_EQ(numbers_.size(), 10u);
  EXPECT_EQ(numbers_.back(), most);
  EXPECT_EQ(sim_.ledger().dropped, uint64_t{SpawnOptions::kMostOnTheWay});
}

TEST_P(LimitsTest, P6_ADroppedAskIsAnswered) {
  const Ref<Keeper> keeper =
      Spawn({.mailbox_capacity = 1, .overflow = Overflow::kDropOldest});
  BeBusy(keeper);
  absl::StatusOr<int> reply = 0;
  keeper.AskThen(Ordinary{1}, absl::Hours(1),
                 [&](absl::StatusOr<int> got) { reply = std::move(got); });
  SendFrom(keeper, false, 1);
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(reply.status().message()), HasSubstr("keeper"));
}

// A Down needs no credit and is promised, so it is not dropped.
TEST_P(LimitsTest, P6_WhatMustNotBeRefusedIsNotDroppedEither) {
  const Ref<Keeper> keeper =
      Spawn({.mailbox_capacity = 1, .overflow = Overflow::kDropOldest});
  Numbers others;
  const Ref<Keeper> watched = sim_.Spawn<Keeper>({}, &others);
  EXPECT_EQ(keeper.Tell(WatchThis{watched.address()}), Delivery::kAccepted);
  sim_.RunUntilIdle();
  BeBusy(keeper);
  watched.Stop();
  sim_.RunUntilIdle();
  EXPECT_EQ(SendFrom(keeper, false, 5), 5);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(numbers_, ElementsAre(0));
  EXPECT_EQ(sim_.ledger().dropped, 5u);
}

TEST_P(LimitsTest, P6_SendWithinWaitsForRoomAndNoLonger) {
  const Ref<Keeper> keeper = Spawn({.mailbox_capacity = 2});
  BeBusy(keeper);
  EXPECT_EQ(SendFrom(keeper, false, 9), 1);
  const Instant began = sim_.Now();
  const absl::Status late = sim_.Ask(
      sender_, SendFor{keeper, absl::Milliseconds(100)}, absl::Seconds(9));
  EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(late.message()), HasSubstr("keeper"));
  EXPECT_THAT(std::string(late.message()), HasSubstr("100ms"));
  EXPECT_EQ(sim_.Now() - began, absl::Milliseconds(100));
  EXPECT_EQ(
      sim_.Ask(sender_, SendFor{keeper, absl::Seconds(5)}, absl::Seconds(9)),
      absl::OkStatus());
  EXPECT_EQ(sim_.Now() - began, absl::Seconds(1));
  sim_.RunUntilIdle();
  EXPECT_THAT(numbers_, ElementsAre(1, 100));
  // The place of the one that gave up is free.
  BeBusy(keeper);
  EXPECT_EQ(SendFrom(keeper, false, 9), 1);
  EXPECT_EQ(
      sim_.Ask(sender_, SendFor{keeper, -absl::Seconds(1)}, absl::Seconds(9))
          .code(),
      absl::StatusCode::kDeadlineExceeded);
}

TEST_P(LimitsTest, P6_AskWhenRoomWaitsForRoomAndThenForTheReply) {
  const Ref<Keeper> keeper = Spawn({.mailbox_capacity = 2});
  EXPECT_EQ(
      *sim_.Ask(sender_, AskFor{keeper, absl::Seconds(5)}, absl::Seconds(9)),
      200);
  BeBusy(keeper);
  EXPECT_EQ(SendFrom(keeper, false, 9), 1);
  const Instant began = sim_.Now();
  const absl::StatusOr<int> late = sim_.Ask(
      sender_, AskFor{keeper, absl::Milliseconds(100)}, absl::Seconds(9));
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("no room"));
  EXPECT_EQ(sim_.Now() - began, absl::Milliseconds(100));
  EXPECT_EQ(
      *sim_.Ask(sender_, AskFor{keeper, absl::Seconds(5)}, absl::Seconds(9)),
      200);
  EXPECT_EQ(sim_.Now() - began, absl::Seconds(1));
  EXPECT_THAT(numbers_, ElementsAre(200, 1, 200));
}

// The actor ends, or its asker goes, while the ask waits for room.
TEST_P(LimitsTest, P6_AskWhenRoomEndsWithItsActorAndWithItsAsker) {
  const Ref<Keeper> keeper = Spawn({.mailbox_capacity = 2});
  BeBusy(keeper);
  EXPECT_EQ(SendFrom(keeper, false, 9), 1);
  const absl::StatusOr<int> left =
      sim_.Ask(sender_, AskFor{keeper, absl::Hours(1)}, absl::Milliseconds(10));
  EXPECT_EQ(left.status().code(), absl::StatusCode::kDeadlineExceeded);
  sim_.RunFor(absl::Seconds(1));
  EXPECT_THAT(numbers_, ElementsAre(1));
  BeBusy(keeper);
  EXPECT_EQ(SendFrom(keeper, false, 9), 1);  // nothing was lost
  absl::StatusOr<int> reply = 0;
  sender_.AskThen(AskFor{keeper, absl::Hours(1)}, absl::Hours(1),
                  [&](absl::StatusOr<int> got) { reply = std::move(got); });
  sim_.RunUntilIdle();
  keeper.Stop();
  sim_.RunUntilIdle();
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(reply.status().message()), HasSubstr("keeper"));
}

TEST_P(LimitsTest, AnAskCanBeMovedUntilItIsAwaited) {
  const Ref<Keeper> keeper = Spawn({});
  EXPECT_EQ(*sim_.Ask(sender_, AskThree{keeper}, absl::Seconds(9)), 6);
  EXPECT_THAT(numbers_, ElementsAre(1, 2, 3));
  // Each has its own deadline still.
  BeBusy(keeper);
  BeBusy(keeper);
  for (int i = 0; i < 9; ++i) keeper.Tell(Hold{});
  const Instant began = sim_.Now();
  EXPECT_EQ(sim_.Ask(sender_, AskThree{keeper}, absl::Hours(1)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(sim_.Now() - began, absl::Seconds(5));
}

// What a restart does to urgent messages is what it does to others.
struct Fill {};
class Owner : public Actor {
 public:
  explicit Owner(Numbers* numbers) : numbers_(numbers) {}
  void OnStart() override {
    seat_ = *Seat::Reserve<Keeper>(Self(this), {.name = "keeper"}, [this] {
      return std::make_unique<Keeper>(numbers_);
    });
    seat_.Fill();
  }
  void On(const SeatTaken&) {}
  void On(const SeatEmpty&) {}
  void On(const Fill&) { seat_.Fill(); }
  void On(const Hold&) { seat_.DropMessages(); }

 private:
  Numbers* const numbers_;
  Seat seat_;
};

TEST_P(LimitsTest, P9_UrgentMessagesWaitForTheNextObjectOfASeat) {
  const Ref<Owner> owner = sim_.Spawn<Owner>({.loop = 0}, &numbers_);
  sim_.RunUntilIdle();
  const Ref<Keeper> keeper = *sim_.bus().Find<Keeper>("keeper");
  keeper.Tell(Boom{});
  sim_.RunUntilIdle();
  SendFrom(keeper, false, 1);
  SendFrom(keeper, true, 2);
  owner.Tell(Fill{});
  sim_.RunUntilIdle();
  EXPECT_THAT(numbers_, ElementsAre(-1, -2, 1));
  keeper.Tell(Boom{});
  sim_.RunUntilIdle();
  SendFrom(keeper, false, 1);
  SendFrom(keeper, true, 2);
  EXPECT_EQ(DepthOf(keeper), 3u);
  owner.Tell(Hold{});
  owner.Tell(Fill{});
  sim_.RunUntilIdle();
  EXPECT_EQ(DepthOf(keeper), 0u);
  EXPECT_EQ(numbers_.size(), 3u);
  EXPECT_EQ(sim_.ledger().dead_lettered, 3u);
}

TEST_P(LimitsTest, OptionsOutOfRangeAreRefusedByName) {
  const auto refused = [&](SpawnOptions options) {
    const absl::Status status =
        sim_.bus().Spawn<Keeper>(options, &numbers_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(refused({.mailbox_capacity = 0}), HasSubstr("mailbox_capacity"));
  EXPECT_THAT(
      refused({.mailbox_capacity = SpawnOptions::kMostMailboxCapacity + 1}),
      HasSubstr("mailbox_capacity"));
  EXPECT_THAT(refused({.mailbox_capacity = 5, .urgent_reserve = 5}),
              HasSubstr("urgent_reserve is 5; it must be 0 to 4"));
  EXPECT_THAT(refused({.urgent_reserve = 256}), HasSubstr("0 to 255"));
  EXPECT_TRUE(sim_.bus()
                  .Spawn<Keeper>(
                      {.mailbox_capacity = SpawnOptions::kMostMailboxCapacity,
                       .urgent_reserve = 255,
                       .overflow = Overflow::kDropOldest},
                      &numbers_)
                  .ok());
}

INSTANTIATE_TEST_SUITE_P(Loops, LimitsTest, ::testing::Values(1, 2),
                         [](const auto& info) {
                           return info.param == 1 ? "OneLoop" : "TwoLoops";
                         });

}  // namespace
}  // namespace trolley
