// SPDX-License-Identifier: Apache-2.0
//
// A seat keeps the address, the name and the mailbox of the actors that sit in
// it one after the other (actors/seat.h).

#include "trolley/actors/seat.h"

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/actors/watch.h"

namespace trolley {
namespace {

using testing::SimBus;

struct Boom {};
struct Bump {};
struct Read {};
struct Later {};
struct Hang {};
struct Quit {};

// What the owner and the workers saw, in order: "taken 1", "empty 1 failed".
using Lines = std::vector<std::string>;

struct Plan {
  Lines* lines;
  bool factory_throws = false;
  bool returns_null = false;
  bool constructor_throws = false;
  bool start_throws = false;
  bool stop_in_constructor = false;
};

class Worker : public Actor {
 public:
  explicit Worker(const Plan* plan) : plan_(plan) {
    if (plan->constructor_throws) throw std::runtime_error("no constructor");
    if (plan->stop_in_constructor) Stop();
    made_at_ = address();
    TellAfter(this, absl::Seconds(1), Later{});
  }
  ~Worker() override { plan_->lines->push_back("~"); }
  void OnStart() override {
    if (plan_->start_throws) throw std::runtime_error("no start");
    EXPECT_EQ(made_at_, address());
  }
  void OnStop() override {
    plan_->lines->push_back(absl::StrCat("stop: ", exit_reason().ToString()));
  }
  void On(const Boom&) { throw std::runtime_error("boom"); }
  void On(const Bump&) { ++count_; }
  int On(const Read&) { return count_; }
  void On(const Later&) { plan_->lines->push_back("later"); }
  void On(const Quit&) { Stop(); }
  Task<absl::Status> On(const Hang&) {
    co_await Sleep(absl::Hours(1));
    co_return absl::OkStatus();
  }

 private:
  const Plan* const plan_;
  Address made_at_;
  int count_ = 0;
};

struct Do {
  std::function<void(Seat&)> what;
};

class Owner : public Actor {
 public:
  Owner(const Plan* plan, SpawnOptions options)
      : plan_(plan), options_(std::move(options)) {}
  void OnStart() override {
    absl::StatusOr<Seat> seat = Seat::Reserve<Worker>(
        Self(this), options_, [plan = plan_]() -> std::unique_ptr<Worker> {
          if (plan->factory_throws) throw std::runtime_error("no factory");
          if (plan->returns_null) return nullptr;
          return std::make_unique<Worker>(plan);
        });
    ASSERT_TRUE(seat.ok()) << seat.status();
    seat_ = *std::move(seat);
  }
  void On(const SeatTaken& m) {
    plan_->lines->push_back(absl::StrCat("taken ", m.round));
  }
  void On(const SeatEmpty& m) {
    plan_->lines->push_back(
        absl::StrCat("empty ", m.round, ": ", m.reason.ToString()));
  }
  void On(const Do& m) { m.what(seat_); }

 private:
  const Plan* const plan_;
  const SpawnOptions options_;
  Seat seat_;
};

// The owner on the first loop, the seat on the last one.
class SeatTest : public ::testing::TestWithParam<int> {
 protected:
  SeatTest()
      : sim_({.loops = GetParam()}),
        owner_(sim_.Spawn<Owner>({.loop = 0}, &plan_,
                                 SpawnOptions{.name = "worker",
                                              .loop = GetParam() - 1,
                                              .mailbox_capacity = 8})) {
    sim_.RunUntilIdle();
    worker_ = *sim_.bus().Find<Worker>("worker");
  }
  void With(std::function<void(Seat&)> what) {
    owner_.Tell(Do{std::move(what)});
    sim_.RunUntilIdle();
  }
  void Fill() {
    With([](Seat& seat) { seat.Fill(); });
  }
  int Count() { return *sim_.Ask(worker_, Read{}, absl::Milliseconds(1)); }
  Lines Take() { return std::exchange(lines_, {}); }

  Lines lines_;
  Plan plan_{.lines = &lines_};
  SimBus sim_;
  Ref<Owner> owner_;
  Ref<Worker> worker_;
};

INSTANTIATE_TEST_SUITE_P(Loops, SeatTest, ::testing::Values(1, 2));

TEST_P(SeatTest, P9_ARefFollowsARestartAndTheMailboxIsKept) {
  worker_.Tell(Bump{});  // waits for the first object
  sim_.RunUntilIdle();
  EXPECT_EQ(lines_, Lines{});
  Fill();
  EXPECT_EQ(Take(), Lines{"taken 1"});
  EXPECT_EQ(Count(), 1);
  worker_.Tell(Boom{});
  worker_.Tell(Bump{});
  worker_.Tell(Bump{});
  sim_.RunUntilIdle();
  const Lines ended = Take();
  ASSERT_EQ(ended.size(), 3u);
  EXPECT_TRUE(absl::StrContains(ended[0], "stop: its handler of"));
  EXPECT_EQ(ended[1], "~");
  EXPECT_TRUE(absl::StrContains(ended[2], "empty 1: its handler of"));
  EXPECT_TRUE(absl::StrContains(ended[2], "threw: boom"));
  // The message that ended it is not handled again; the others are.
  Fill();
  EXPECT_EQ(Take(), Lines{"taken 2"});
  EXPECT_EQ(Count(), 2);
  EXPECT_EQ(sim_.bus().Find<Worker>("worker")->address(), worker_.address());
}

TEST_P(SeatTest, P9_TimersAndHandlersOfAnObjectEndWithIt) {
  Fill();
  sim_.RunFor(absl::Milliseconds(500));
  worker_.Tell(Hang{});
  sim_.RunFor(absl::Seconds(1));  // its timer waits behind the handler
  worker_.address().Stop();
  sim_.RunUntilIdle();
  EXPECT_EQ(Take(), (Lines{"taken 1", "stop: it was stopped", "~",
                           "empty 1: it was stopped"}));
  sim_.RunFor(absl::Hours(2));
  EXPECT_EQ(Take(), Lines{});
  Fill();
  EXPECT_EQ(Take(), Lines{"taken 2"});
  sim_.RunFor(absl::Seconds(2));
  EXPECT_EQ(Take(), Lines{"later"});
}

TEST_P(SeatTest, P6_EachCreditIsThereAfterManyRestarts) {
  Fill();
  for (int i = 0; i < 20; ++i) {
    switch (i % 4) {
      case 0:
        worker_.Tell(Boom{});
        break;
      case 1:
        worker_.Tell(Hang{});
        sim_.RunUntilIdle();
        worker_.address().Stop();
        break;
      case 2:
        worker_.Tell(Quit{});
        break;
      case 3:
        worker_.address().Stop(/*drain=*/true);
        break;
    }
    sim_.RunUntilIdle();
    Fill();
  }
  With([](Seat& seat) { seat.Vacate(); });
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(worker_.Tell(Bump{}), Delivery::kAccepted) << i;
  }
  EXPECT_EQ(worker_.Tell(Bump{}), Delivery::kFull);
  Fill();
  EXPECT_EQ(Count(), 8);
}

TEST_P(SeatTest, P6_WhatWaitsInAnEmptySeatExpires) {
  absl::Status got;
  worker_.AskThen(Read{}, absl::Seconds(1),
                  [&](absl::StatusOr<int> reply) { got = reply.status(); });
  sim_.RunFor(absl::Seconds(3));
  EXPECT_EQ(got.code(), absl::StatusCode::kDeadlineExceeded) << got;
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(worker_.Tell(Bump{}), Delivery::kAccepted) << i;
  }
}

TEST_P(SeatTest, P8_WhatThrowsAtTheStartLeavesTheSeatEmpty) {
  plan_.factory_throws = true;
  Fill();
  EXPECT_EQ(Take(), Lines{"empty 1: its factory or constructor threw: "
                          "no factory"});
  plan_ = {.lines = &lines_, .returns_null = true};
  Fill();
  EXPECT_EQ(Take(), Lines{"empty 2: its factory or constructor threw: the "
                          "factory of a seat returned no actor"});
  plan_ = {.lines = &lines_, .constructor_throws = true};
  Fill();
  EXPECT_EQ(Take(), Lines{"empty 3: its factory or constructor threw: no "
                          "constructor"});
  plan_ = {.lines = &lines_, .start_throws = true};
  Fill();
  EXPECT_EQ(Take(), (Lines{"~", "empty 4: OnStart threw: no start"}));
  plan_ = {.lines = &lines_, .stop_in_constructor = true};
  Fill();
  EXPECT_EQ(Take(), (Lines{"~", "empty 5: it was stopped"}));
  plan_ = {.lines = &lines_};
  Fill();
  EXPECT_EQ(Take(), Lines{"taken 6"});
}

struct Watcher : Actor {
  Watcher(Lines* lines, Address of)
      : lines(lines), watch(Self(this), std::move(of)) {}
  void On(const Down& m) {
    lines->push_back(absl::StrCat("down: ", m.reason.ToString()));
  }
  Lines* lines;
  Watch watch;
};

TEST_P(SeatTest, P9_ACloseEndsTheSeatAndFreesTheName) {
  auto watcher = sim_.Spawn<Watcher>({}, &lines_, worker_.address());
  Fill();
  worker_.Tell(Boom{});
  sim_.RunUntilIdle();
  EXPECT_EQ(Take().size(), 4u);  // no Down: taken, stop, ~, empty
  Fill();
  EXPECT_EQ(Take(), Lines{"taken 2"});
  With([](Seat& seat) { seat.Close(); });
  EXPECT_EQ(Take(),
            (Lines{"stop: it was stopped", "~", "down: it was stopped"}));
  EXPECT_FALSE(sim_.bus().FindAddress("worker").ok());
  EXPECT_EQ(worker_.Tell(Bump{}), Delivery::kGone);
  With([](Seat& seat) { EXPECT_EQ(seat.Fill(), 0u); });
}

TEST_P(SeatTest, P9_TheEndOfTheOwnerClosesAnEmptySeat) {
  worker_.Tell(Bump{});
  owner_.address().Stop();
  sim_.RunUntilIdle();
  EXPECT_EQ(Take(), Lines{});
  EXPECT_FALSE(sim_.bus().FindAddress("worker").ok());
  EXPECT_EQ(sim_.ledger().dead_lettered, 1u);
}

TEST_P(SeatTest, P9_TheEndOfTheOwnerIsWhyTheSeatEnds) {
  auto watcher = sim_.Spawn<Watcher>({}, &lines_, worker_.address());
  Fill();
  Take();
  owner_.address().Stop();
  sim_.RunUntilIdle();
  EXPECT_EQ(Take(),
            (Lines{"stop: its owner ended", "~", "down: its owner ended"}));
}

TEST_P(SeatTest, ASecondFillMakesAnObjectWhenTheFirstHasLeft) {
  With([](Seat& seat) {
    seat.Fill();
    seat.Fill();
    seat.Vacate();
  });
  Lines told = Take();
  std::erase_if(told, [](const std::string& line) {
    return !absl::StartsWith(line, "taken") && !absl::StartsWith(line, "empty");
  });
  EXPECT_EQ(told, (Lines{"taken 1", "empty 1: it was stopped", "taken 2"}));
}

TEST_P(SeatTest, P6_DroppedMessagesAreDeadLetters) {
  absl::Status got;
  worker_.Tell(Bump{});
  worker_.AskThen(Read{}, absl::Seconds(1),
                  [&](absl::StatusOr<int> reply) { got = reply.status(); });
  With([](Seat& seat) { seat.DropMessages(); });
  EXPECT_EQ(sim_.ledger().dead_lettered, 2u);
  EXPECT_EQ(got.code(), absl::StatusCode::kNotFound) << got;
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(worker_.Tell(Bump{}), Delivery::kAccepted) << i;
  }
  Fill();
  EXPECT_EQ(Count(), 8);
}

TEST_P(SeatTest, AnEmptySeatIsListed) {
  bool seen = false;
  sim_.bus().InspectActor(worker_.address(),
                          [&](std::optional<ActorInfo> info) {
                            seen = true;
                            ASSERT_TRUE(info.has_value());
                            EXPECT_EQ(info->state, "empty");
                            EXPECT_EQ(info->name, "worker");
                          });
  sim_.RunUntilIdle();
  EXPECT_TRUE(seen);
}

// --- OnStartTask() ---

struct Opener : Actor {
  explicit Opener(Lines* lines) : lines(lines) {}
  Task<absl::Status> OnStartTask() {
    lines->push_back("opens");
    co_await Sleep(absl::Seconds(1));
    if (fails) co_return absl::UnavailableError("closed");
    lines->push_back("open");
    co_return absl::OkStatus();
  }
  void On(const Bump&) { lines->push_back("bump"); }
  Lines* lines;
  static inline bool fails = false;
};
struct EagerOpener : Opener {
  static constexpr bool kInterleaved = true;
  using Opener::Opener;
};

template <typename A>
Lines WhatIsDoneInOrder(bool fails) {
  Lines lines;
  Opener::fails = fails;
  SimBus sim;
  auto opener = sim.Spawn<A>({.name = "opener"}, &lines);
  opener.Tell(Bump{});
  sim.RunUntilIdle();
  lines.push_back("-");
  sim.RunFor(absl::Seconds(1));
  lines.push_back(sim.bus().FindAddress("opener").status().ToString());
  return lines;
}

TEST(OnStartTask, TheFirstMessageWaitsUntilItHasFinished) {
  EXPECT_EQ(WhatIsDoneInOrder<Opener>(false),
            (Lines{"opens", "-", "open", "bump", "OK"}));
}

TEST(OnStartTask, AnInterleavedActorHandlesMessagesMeanwhile) {
  EXPECT_EQ(WhatIsDoneInOrder<EagerOpener>(false),
            (Lines{"opens", "bump", "-", "open", "OK"}));
}

TEST(OnStartTask, AnErrorEndsTheActor) {
  const Lines lines = WhatIsDoneInOrder<Opener>(true);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(absl::StrContains(lines[2], "UNAVAILABLE: closed")) << lines[2];
}

}  // namespace
}  // namespace trolley
