// SPDX-License-Identifier: Apache-2.0
//
// The parts of a loop (bus/loop/), each driven by hand and without a Loop: the
// invariant that stands in the header of each.

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/internal/actor_class_of.h"
#include "trolley/actors/internal/handler.h"
#include "trolley/actors/task.h"
#include "trolley/bus/loop/actor_runner.h"
#include "trolley/bus/loop/loop_inspector.h"
#include "trolley/bus/loop/stepped_work.h"

namespace trolley::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Number {
  int value;
};
struct Boom {};
struct Wait {};

// Where the coroutine of a test actor waits until the test resumes it.
struct Gate {
  MessageRouter* router = nullptr;
  SuspendedHandler* handler = nullptr;
  std::coroutine_handle<> at;

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) {
    handler = router->current().handler;
    at = coroutine;
  }
  void await_resume() const {}
};

// Writes down what happens to it.
class Diarist : public ActorBase {
 public:
  Diarist(std::vector<std::string>& diary, Gate& gate)
      : diary_(diary), gate_(gate) {}
  ~Diarist() override { diary_.push_back("destroyed"); }

  void On(const Number& m) { diary_.push_back(std::to_string(m.value)); }
  void On(const Boom&) { throw std::runtime_error("disk full"); }
  Task<void> On(const Wait&) {
    diary_.push_back("waits");
    co_await gate_;
    diary_.push_back("goes on");
  }

 protected:
  void OnStart() override { diary_.push_back("OnStart"); }
  void OnDrain() override { diary_.push_back("OnDrain"); }
  void OnStop() override { diary_.push_back("OnStop"); }

 private:
  std::vector<std::string>& diary_;
  Gate& gate_;
};

class LoopPartsTest : public testing::Test {
 protected:
  static constexpr uint32_t kSlice = 4;
  static constexpr uint32_t kTurn = 10;

  LoopPartsTest() {
    LoopInbox::current = &inbox_;
    gate_.router = &router_;
  }
  ~LoopPartsTest() override {
    for (uint32_t slot = 0; slot < inbox_.cells.used(); ++slot) {
      Cell& cell = *inbox_.cells.Find(slot);
      if (cell.self) lifecycle_.End(cell, cell.actor_state.runnable());
    }
    // A cell in the run queue is free when it has left the queue.
    while (!router_.run_queue().empty()) runner_.RunSlices();
    EXPECT_TRUE(inbox_.ledger.Read().Balances());
    EXPECT_EQ(inbox_.ledger.Read().queued(), 0u);
    EXPECT_EQ(inbox_.cells.in_use(), 0u);
    LoopInbox::current = nullptr;
  }

  BusOptions Options() {
    BusOptions options;
    options.loops = {
        {.messages_per_slice = kSlice, .messages_per_turn = kTurn}};
    options.for_tests.single_threaded = true;
    options.log = [this](absl::string_view line) { log_.emplace_back(line); };
    return options;
  }

  Cell& Spawn(uint32_t capacity = 16) {
    uint32_t generation = 0;
    Cell& cell = *inbox_.cells.AllocateLocal(&generation);
    cell.credits.Open(generation, capacity);
    SpawnOptions options;
    options.mailbox_capacity = capacity;
    lifecycle_.Adopt(cell, std::make_unique<Diarist>(diary_, gate_),
                     *ActorClassOf<Diarist>(), options, /*start_sequence=*/1,
                     /*early=*/nullptr);
    return cell;
  }

  template <typename M>
  Delivery Tell(Cell& cell, M message) {
    const Delivery taken = router_.TakeCredit(cell.self);
    router_.CountSend(taken == Delivery::kAccepted);
    if (taken == Delivery::kAccepted) {
      SendTo(cell, std::move(message),
             Envelope::kDataLane | Envelope::kHoldsCredit);
    }
    return taken;
  }
  // In the lane of replies and timers, which needs no credit.
  void Remind(Cell& cell, Number message) {
    router_.CountSend(true);
    SendTo(cell, message, Envelope::kUrgentLane);
  }
  template <typename M>
  void SendTo(Cell& cell, M message, uint64_t flags) {
    Envelope* e = router_.NewEnvelope(Envelope::BytesFor<M>(),
                                      {.ops = &Handler<Diarist, M>::kOps,
                                       .target = cell.self,
                                       .flags = flags});
    e->Emplace<M>(std::move(message));
    router_.Send(e);
  }

  // What the actors have written since the last call.
  std::vector<std::string> Diary() { return std::exchange(diary_, {}); }
  // How many credits a sender can take now; gives them back.
  uint32_t FreeCredits(Cell& cell) {
    uint32_t taken = 0;
    while (router_.TakeCredit(cell.self) == Delivery::kAccepted) ++taken;
    for (uint32_t i = 0; i < taken; ++i)
      router_.credit_waiters().GiveBack(cell);
    return taken;
  }

  std::vector<std::string> log_;
  std::vector<std::string> diary_;
  Gate gate_;

  const BusState::Ptr bus_ = BusState::Ptr::Adopt(new BusState(Options()));
  LoopInbox& inbox_ = bus_->inbox(0);
  const LoopOptions& options_ = bus_->options().loops[0];
  LoopClock clock_{bus_->clock()};
  TimerQueue timers_;
  SteppedWork stepped_work_;
  Expiry expiry_{
      inbox_.cells, clock_, timers_, stepped_work_, options_.messages_per_turn,
      coroutines_};
  MessageRouter router_{*bus_, inbox_, expiry_, options_.max_pending_asks};
  ActorGuard guard_{*bus_, router_};
  CoroutineRunner coroutines_{router_, guard_, expiry_};
  ActorLifecycle lifecycle_{*bus_, router_, guard_, coroutines_, timers_};
  ActorRunner runner_{options_,    clock_,     router_, guard_,
                      coroutines_, lifecycle_, expiry_};
  LoopInspector inspector_{"none", router_, coroutines_};
};

// --- MessageRouter ---------------------------------------------------------

TEST_F(LoopPartsTest, TheRouterGivesEachCreditBackWhateverEndsTheMessage) {
  Cell& cell = Spawn(/*capacity=*/3);
  runner_.RunSlices();  // OnStart
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(Tell(cell, Number{i}), Delivery::kAccepted);
  }
  EXPECT_EQ(Tell(cell, Number{4}), Delivery::kFull);
  EXPECT_EQ(inbox_.ledger.Read().queued(), 3u);
  router_.Expire(cell, cell.data.Pop());
  --cell.data_queued;
  EXPECT_EQ(inbox_.ledger.Read().expired, 1u);
  EXPECT_EQ(FreeCredits(cell), 1u);
  runner_.RunSlices();
  EXPECT_EQ(inbox_.ledger.Read().handled, 2u);
  EXPECT_EQ(FreeCredits(cell), 3u);
  EXPECT_THAT(Diary(), ElementsAre("OnStart", "2", "3"));
}

TEST_F(LoopPartsTest, TheRouterCountsWhatAnEndedActorDidNotHandle) {
  Cell& cell = Spawn();
  EXPECT_EQ(Tell(cell, Number{1}), Delivery::kAccepted);
  const ActorId id = cell.self;
  guard_.Stop(cell, /*drain=*/false);
  runner_.RunSlices();
  EXPECT_EQ(inbox_.ledger.Read().dead_lettered, 1u);
  EXPECT_EQ(router_.TakeCredit(id), Delivery::kGone);
}

// --- ActorGuard ------------------------------------------------------------

TEST_F(LoopPartsTest, TheGuardEndsTheActorThatThrewAndRestoresTheOneInHand) {
  Cell& cell = Spawn();
  Cell& other = Spawn();
  runner_.RunSlices();
  const Activation in_hand = {.cell = &other, .self = other.self};
  router_.current() = in_hand;
  ActorId ran;
  EXPECT_FALSE(guard_.Run(cell, "OnDrain", [&] {
    ran = router_.current().self;
    throw std::runtime_error("disk full");
  }));
  EXPECT_EQ(ran, cell.self);
  EXPECT_EQ(router_.current().self, other.self);
  EXPECT_EQ(inbox_.running(), other.self);
  router_.current() = {};
  EXPECT_TRUE(lifecycle_.IsOver(cell));
  EXPECT_FALSE(lifecycle_.IsOver(other));
  EXPECT_EQ(bus_->ExitOf(cell.self).kind, ExitReason::Kind::kFailed);
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_TRUE(absl::StrContains(log_[0], "OnDrain threw: disk full"))
      << log_[0];
}

// --- CoroutineRunner -------------------------------------------------------

TEST_F(LoopPartsTest, TheCoroutineRunnerKeepsTheMailboxWhileAHandlerWaits) {
  Cell& cell = Spawn();
  Tell(cell, Wait{});
  Tell(cell, Number{1});
  runner_.RunSlices();
  EXPECT_THAT(Diary(), ElementsAre("OnStart", "waits"));
  EXPECT_EQ(coroutines_.suspended_messages(), 1u);
  EXPECT_TRUE(cell.actor_state.busy());
  runner_.RunSlices();
  EXPECT_THAT(Diary(), IsEmpty());
  coroutines_.Resume(*gate_.handler, gate_.at);
  EXPECT_EQ(coroutines_.suspended_messages(), 0u);
  runner_.RunSlices();
  EXPECT_THAT(Diary(), ElementsAre("goes on", "1"));
}

TEST_F(LoopPartsTest, TheCoroutineRunnerCancelsWhatWaitsWhenTheActorEnds) {
  Cell& cell = Spawn();
  Tell(cell, Wait{});
  runner_.RunSlices();
  guard_.Stop(cell, /*drain=*/false);
  runner_.RunSlices();
  EXPECT_EQ(coroutines_.suspended_messages(), 0u);
  EXPECT_THAT(Diary(), ElementsAre("OnStart", "waits", "OnStop", "destroyed"));
}

// --- ActorLifecycle --------------------------------------------------------

TEST_F(LoopPartsTest, TheLifecycleGoesThroughItsStatesInOrder) {
  Cell& cell = Spawn();
  const ActorId id = cell.self;
  EXPECT_EQ(cell.state(), Cell::State::kStarting);
  EXPECT_THAT(Diary(), IsEmpty());
  runner_.RunSlices();
  EXPECT_EQ(cell.state(), Cell::State::kRunning);
  std::vector<ActorEnd> ends;
  const auto note = [&](const ActorEnd& end) { ends.push_back(end); };
  lifecycle_.WhenEnded(id, 1, note);
  lifecycle_.WhenEnded(id, 2, note);
  lifecycle_.ForgetWhenEnded(id, 2);
  lifecycle_.Drain(cell);
  guard_.Stop(cell, /*drain=*/true);
  EXPECT_EQ(cell.state(), Cell::State::kDraining);
  EXPECT_THAT(ends, IsEmpty());
  runner_.RunSlices();
  EXPECT_EQ(cell.state(), Cell::State::kFree);
  EXPECT_EQ(inbox_.cells.FindLive(id), nullptr);
  EXPECT_EQ(cell.credits.generation(), id.generation() + 1);
  EXPECT_THAT(Diary(),
              ElementsAre("OnStart", "OnDrain", "OnStop", "destroyed"));
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].reason.kind, ExitReason::Kind::kDrained);
  EXPECT_EQ(ends[0].last.id, id);
  // Told at once of an end that has been.
  lifecycle_.WhenEnded(id, 3, note);
  EXPECT_EQ(ends.size(), 2u);
}

// --- ActorRunner -----------------------------------------------------------

TEST_F(LoopPartsTest, P7_TheRunnerGivesSlicesInTurnAndStopsWithTheTurn) {
  Cell& a = Spawn();
  Cell& b = Spawn();
  runner_.RunSlices();  // OnStart of both
  Diary();
  for (int i = 0; i < 8; ++i) {
    Tell(a, Number{i});
    Tell(b, Number{100 + i});
  }
  runner_.RunSlices();
  EXPECT_THAT(Diary(), ElementsAre("0", "1", "2", "3", "100", "101", "102",
                                   "103", "4", "5"));
  runner_.RunSlices();
  EXPECT_EQ(Diary().size(), 6u);
  EXPECT_TRUE(router_.run_queue().empty());
}

TEST_F(LoopPartsTest, P6_TheRunnerTakesControlFirstThenRepliesThenData) {
  Cell& cell = Spawn();
  Tell(cell, Number{1});
  Remind(cell, Number{2});
  runner_.RunSlices();
  EXPECT_THAT(Diary(), ElementsAre("OnStart", "2", "1"));
  Tell(cell, Number{3});
  Remind(cell, Number{4});
  Envelope* stop = router_.NewEnvelope(Envelope::BytesFor<StopRequest>());
  ControlEnvelope(stop, cell.self, StopRequest{.drain = false});
  router_.Send(stop);
  runner_.RunSlices();
  EXPECT_THAT(Diary(), ElementsAre("OnStop", "destroyed"));
}

TEST_F(LoopPartsTest, P8_TheRunnerGoesOnWithOthersAfterAThrow) {
  Cell& cell = Spawn();
  Cell& other = Spawn();
  Tell(cell, Boom{});
  Tell(other, Number{1});
  runner_.RunSlices();
  EXPECT_THAT(Diary(),
              ElementsAre("OnStart", "OnStop", "destroyed", "OnStart", "1"));
  EXPECT_EQ(inbox_.ledger.Read().failed, 1u);
}

// --- LoopInspector ---------------------------------------------------------

TEST_F(LoopPartsTest, TheInspectorTellsWhatHoldsACreditAndLooksAtNoOtherCell) {
  Cell& cell = Spawn();
  for (int i = 0; i < 5; ++i) Spawn();
  Tell(cell, Wait{});
  Tell(cell, Number{1});
  runner_.RunSlices();
  const uint64_t looked_at = inbox_.stats.cells_looked_at.Read();
  const std::optional<ActorInfo> info = inspector_.Actor(cell.self);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->depth, 2u);
  EXPECT_EQ(info->state, "suspended");
  const LoopInfo loop = inspector_.Loop();
  EXPECT_EQ(loop.actors, 6u);
  EXPECT_EQ(loop.suspended_messages, 1u);
  EXPECT_EQ(loop.ledger.accepted, 2u);
  EXPECT_EQ(inbox_.stats.cells_looked_at.Read(), looked_at);
}

}  // namespace
}  // namespace trolley::internal
