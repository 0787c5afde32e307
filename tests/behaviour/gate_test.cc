// SPDX-License-Identifier: Apache-2.0
//
// Gate: order, bounds, deadlines, and what becomes of asks that wait.

#include "trolley/actors/behaviour/gate.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/bus/option_fields.h"

namespace trolley {
namespace {

using trolley::testing::ForEachSeed;
using trolley::testing::SimBus;

using Numbers = std::vector<int>;

struct Get {
  int number = 0;
};
struct Put {
  int number = 0;
};
// Does something with the gate, in a handler.
struct Do {
  std::function<void(std::unique_ptr<Gate>&)> what;
};
struct Begin {};  // a background task waits at the gate
struct Boom {};
struct End {};

struct Record {
  Numbers came, passed;
  std::vector<absl::Status> entered;
  int frames = 0;  // coroutines that have come and not gone
  std::function<void(std::unique_ptr<Gate>&, int)> on_pass;
  bool refuse_in_drain = false;
};

struct Frame {
  explicit Frame(Record& r) : record(r) { ++record.frames; }
  ~Frame() { --record.frames; }
  Record& record;
};

class Store : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Store(Record* record, const GateOptions& options = {})
      : record_(*record), gate_(std::make_unique<Gate>(options)) {}

  void OnDrain() override {
    if (record_.refuse_in_drain) {
      gate_->Refuse(absl::UnavailableError("it drains"));
    }
  }
  Task<absl::StatusOr<int>> On(Get m) {
    const Frame frame(record_);
    record_.came.push_back(m.number);
    absl::Status entered = co_await gate_->Enter();
    record_.entered.push_back(entered);
    if (!entered.ok()) co_return entered;
    record_.passed.push_back(m.number);
    if (record_.on_pass != nullptr) record_.on_pass(gate_, m.number);
    co_return 10 * m.number;
  }
  Task<> On(Put m) {
    const Frame frame(record_);
    record_.came.push_back(m.number);
    record_.entered.push_back(co_await gate_->Enter());
    record_.passed.push_back(m.number);
  }
  void On(const Do& m) { m.what(gate_); }
  void On(const Begin&) {
    RunInBackground([this]() -> Task<absl::Status> {
      const Frame frame(record_);
      record_.entered.push_back(co_await gate_->Enter());
      co_return absl::OkStatus();
    });
  }
  void On(const Boom&) { throw std::runtime_error("disk full"); }
  void On(const End&) { Stop(); }

 private:
  Record& record_;
  std::unique_ptr<Gate> gate_;
};

class GateTest : public ::testing::Test {
 protected:
  Ref<Store> Spawn(const GateOptions& options = {},
                   const SpawnOptions& actor = {}) {
    return sim_.Spawn<Store>(actor, &record_, options);
  }
  void Ask(const Ref<Store>& store, int number,
           absl::Duration timeout = absl::InfiniteDuration()) {
    replies_.resize(std::max(replies_.size(), size_t(number) + 1));
    store.AskThen(Get{number}, timeout, [this, number](absl::StatusOr<int> r) {
      EXPECT_FALSE(replies_[number].has_value());
      replies_[number] = std::move(r);
    });
  }
  void Tell(const Ref<Store>& store, void (*what)(Gate&)) {
    store.Tell(Do{[what](std::unique_ptr<Gate>& gate) { what(*gate); }});
  }
  void Open(const Ref<Store>& store) {
    Tell(store, [](Gate& gate) { gate.Open(); });
  }
  uint32_t Waiting(const Ref<Store>& store) {
    uint32_t waiting = ~0u;
    store.Tell(Do{[&waiting](std::unique_ptr<Gate>& gate) {
      waiting = gate->waiting();
    }});
    sim_.RunUntilIdle();
    return waiting;
  }
  absl::Status StatusOf(int number) {
    return replies_[number].has_value() ? replies_[number]->status()
                                        : absl::UnknownError("no reply");
  }

  Record record_;
  std::vector<std::optional<absl::StatusOr<int>>> replies_;
  // What is told together is handled together.
  SimBus sim_{{.vary_turns = false}};
};

TEST_F(GateTest, AsksWaitUntilItOpensAndAreAnsweredInTheirOrder) {
  const auto store = Spawn();
  for (int i = 1; i <= 3; ++i) Ask(store, i);
  sim_.RunFor(absl::Hours(1));
  EXPECT_EQ(record_.came, (Numbers{1, 2, 3}));
  EXPECT_EQ(record_.passed, Numbers());
  EXPECT_EQ(Waiting(store), 3u);
  // The fourth is in the mailbox when the gate opens: it goes behind.
  Open(store);
  Ask(store, 4);
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.passed, (Numbers{1, 2, 3, 4}));
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(**replies_[i], 10 * i);
  EXPECT_EQ(Waiting(store), 0u);
  EXPECT_EQ(sim_.ledger().handled, sim_.ledger().accepted);
}

TEST_F(GateTest, AnOpenGateLetsPassAtOnce) {
  const auto store = Spawn();
  Open(store);
  Ask(store, 1);
  sim_.RunUntilIdle();
  EXPECT_EQ(**replies_[1], 10);
  Tell(store, [](Gate& gate) {
    EXPECT_TRUE(gate.is_open());
    gate.Close();
    EXPECT_FALSE(gate.is_open());
  });
  Ask(store, 2);
  sim_.RunUntilIdle();
  EXPECT_FALSE(replies_[2].has_value());
}

TEST_F(GateTest, TellsAndTasksWaitThereToo) {
  const auto store = Spawn();
  store.Tell(Put{1});
  store.Tell(Begin{});
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.entered.size(), 0u);
  Open(store);
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.entered, (std::vector<absl::Status>(2)));
}

TEST_F(GateTest, TheOrderHoldsIfItClosesInBetween) {
  const auto store = Spawn();
  for (int i = 1; i <= 5; ++i) Ask(store, i);
  record_.on_pass = [](std::unique_ptr<Gate>& gate, int number) {
    if (number == 2) gate->Close();
  };
  Open(store);
  Ask(store, 6);
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.passed, (Numbers{1, 2}));
  Ask(store, 7);
  Open(store);
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.passed, (Numbers{1, 2, 3, 4, 5, 6, 7}));
}

// Whatever the interleaving: what has come first passes first.
TEST(GateOrderTest, TheOrderHoldsWhateverHappens) {
  ForEachSeed(200, [](uint64_t seed) {
    Record record;
    SimBus sim({.loops = 2, .seed = seed});
    const auto store = sim.Spawn<Store>({}, &record);
    SimRandom& random = sim.world().random();
    std::vector<absl::Status> replies;
    record.on_pass = [&](std::unique_ptr<Gate>& gate, int) {
      if (random.Below(8) == 0) gate->Close();
      if (random.Below(16) == 0) gate->Open();
    };
    int asked = 0;
    for (int i = 0; i < 60; ++i) {
      for (uint64_t n = random.Below(4); n > 0; --n) {
        store.AskThen(Get{++asked}, absl::InfiniteDuration(),
                      [&](absl::StatusOr<int> reply) {
                        replies.push_back(reply.status());
                      });
      }
      const bool open = random.Below(3) == 0;
      store.Tell(Do{[open](std::unique_ptr<Gate>& gate) {
        open ? gate->Open() : gate->Close();
      }});
      if (random.Below(3) == 0) sim.RunUntilIdle();
    }
    record.on_pass = nullptr;
    store.Tell(Do{[](std::unique_ptr<Gate>& gate) { gate->Open(); }});
    sim.RunUntilIdle();
    EXPECT_EQ(record.passed, record.came);
    EXPECT_EQ(replies.size(), static_cast<size_t>(asked));
    EXPECT_EQ(record.frames, 0);
  });
}

TEST_F(GateTest, P7_ManyThatPassLetOtherWorkInBetween) {
  const auto store = Spawn({}, {.mailbox_capacity = 1024});
  constexpr int kMany = 5 * Gate::kAtOnce;
  for (int i = 1; i <= kMany; ++i) Ask(store, i);
  sim_.RunUntilIdle();
  ASSERT_EQ(Waiting(store), static_cast<uint32_t>(kMany));
  size_t before = 0;
  record_.on_pass = [&](std::unique_ptr<Gate>&, int number) {
    if (number != 1) return;
    store.Tell(
        Do{[&](std::unique_ptr<Gate>&) { before = record_.passed.size(); }});
  };
  Open(store);
  sim_.RunUntilIdle();
  EXPECT_EQ(before, static_cast<size_t>(Gate::kAtOnce));
  EXPECT_EQ(record_.passed, record_.came);
}

TEST_F(GateTest, P6_TheDeadlineOfAnAskHoldsAndItsPlaceIsFree) {
  const auto store = Spawn({.max_waiting = 2});
  Ask(store, 1, absl::Seconds(1));
  Ask(store, 2);
  Ask(store, 3);
  sim_.RunUntilIdle();
  EXPECT_TRUE(absl::IsResourceExhausted(StatusOf(3))) << StatusOf(3);
  sim_.RunFor(absl::Milliseconds(999));
  EXPECT_FALSE(replies_[1].has_value());
  sim_.RunFor(absl::Milliseconds(100));
  EXPECT_TRUE(absl::IsDeadlineExceeded(StatusOf(1))) << StatusOf(1);
  EXPECT_EQ(Waiting(store), 1u);
  EXPECT_EQ(record_.frames, 1);
  Ask(store, 4);
  Open(store);
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.passed, (Numbers{2, 4}));
}

class Asker : public Actor {
 public:
  explicit Asker(Ref<Store> store) : store_(std::move(store)) {}
  void OnStart() override {
    RunInBackground([this]() -> Task<absl::Status> {
      (void)co_await store_.Ask(Get{1}, absl::InfiniteDuration());
      co_return absl::OkStatus();
    });
  }
  void On(const End&) { Stop(); }

 private:
  const Ref<Store> store_;
};

TEST_F(GateTest, P6_AnAskerThatHasGoneWaitsNoLonger) {
  const auto store = Spawn();
  const auto asker = sim_.Spawn<Asker>({}, store);
  sim_.RunUntilIdle();
  EXPECT_EQ(Waiting(store), 1u);
  asker.Tell(End{});
  sim_.RunFor(absl::Milliseconds(100));
  EXPECT_EQ(Waiting(store), 0u);
  EXPECT_EQ(record_.frames, 0);
  EXPECT_EQ(sim_.ledger().expired, 1u);
}

TEST_F(GateTest, AFullGateSaysSo) {
  const auto store = Spawn({.max_waiting = 1});
  Ask(store, 1);
  Ask(store, 2);
  sim_.RunUntilIdle();
  EXPECT_TRUE(absl::IsResourceExhausted(StatusOf(2))) << StatusOf(2);
  EXPECT_TRUE(absl::StrContains(StatusOf(2).message(), "max_waiting is 1"))
      << StatusOf(2);
  EXPECT_EQ(Waiting(store), 1u);

  const auto none = Spawn({.max_waiting = 0});
  Ask(none, 3);
  sim_.RunUntilIdle();
  EXPECT_TRUE(absl::IsResourceExhausted(StatusOf(3))) << StatusOf(3);
  Open(none);
  Ask(none, 4);
  sim_.RunUntilIdle();
  EXPECT_EQ(**replies_[4], 40);
}

// The bound of the mailbox holds beside that of the gate.
TEST_F(GateTest, P6_HalfOfTheMailboxIsTheOtherBound) {
  const auto store = Spawn({.max_waiting = 100}, {.mailbox_capacity = 8});
  for (int i = 1; i <= 5; ++i) {
    Ask(store, i);
    sim_.RunUntilIdle();
  }
  EXPECT_TRUE(absl::IsResourceExhausted(StatusOf(5))) << StatusOf(5);
  EXPECT_EQ(Waiting(store), 4u);
}

TEST(GateOptionsTest, P6_AtTheirExtremes) {
  AtExtremes<GateOptions>(
      [](GateOptions& o, auto visit) { TROLLEY_FIELDS(o, visit, max_waiting); },
      [](const GateOptions& options) {
        Record record;
        SimBus sim;
        const auto store = sim.Spawn<Store>({}, &record, options);
        for (int i = 0; i < 3; ++i) store.Tell(Put{i});
        sim.RunUntilIdle();
        const uint32_t waiting = std::min(options.max_waiting, 3u);
        EXPECT_EQ(record.entered.size(), 3 - waiting);
        store.Tell(Do{[](std::unique_ptr<Gate>& gate) { gate->Open(); }});
        sim.RunUntilIdle();
        EXPECT_EQ(record.entered.size(), 3u);
        return absl::OkStatus();
      });
}

TEST_F(GateTest, RefuseAnswersThoseThatWaitAndNoOthers) {
  const auto store = Spawn();
  Ask(store, 1);
  Ask(store, 2);
  Tell(store,
       [](Gate& gate) { gate.Refuse(absl::DataLossError("the disk burns")); });
  Ask(store, 3);  // in the mailbox behind the refusal
  sim_.RunUntilIdle();
  EXPECT_EQ(StatusOf(1), absl::DataLossError("the disk burns"));
  EXPECT_EQ(StatusOf(2), absl::DataLossError("the disk burns"));
  EXPECT_FALSE(replies_[3].has_value());
  EXPECT_EQ(Waiting(store), 1u);
  Open(store);
  sim_.RunUntilIdle();
  EXPECT_EQ(**replies_[3], 30);
  // An open gate stays open, and has none to refuse.
  Tell(store, [](Gate& gate) {
    gate.Refuse(absl::DataLossError("the disk burns"));
    EXPECT_TRUE(gate.is_open());
  });
  Ask(store, 4);
  sim_.RunUntilIdle();
  EXPECT_EQ(**replies_[4], 40);
}

// Those that have not passed when the refusal comes are refused.
TEST_F(GateTest, ARefusalAfterTheGateHasOpened) {
  const auto store = Spawn();
  for (int i = 1; i <= 4; ++i) Ask(store, i);
  record_.on_pass = [](std::unique_ptr<Gate>& gate, int number) {
    if (number == 2) gate->Refuse(absl::DataLossError("the disk burns"));
  };
  Open(store);
  sim_.RunUntilIdle();
  EXPECT_EQ(record_.passed, (Numbers{1, 2}));
  EXPECT_EQ(StatusOf(3), absl::DataLossError("the disk burns"));
  EXPECT_EQ(StatusOf(4), absl::DataLossError("the disk burns"));
  Ask(store, 5);  // it is open
  sim_.RunUntilIdle();
  EXPECT_EQ(**replies_[5], 50);
}

TEST_F(GateTest, ARefusalIsAnError) {
  const auto store = Spawn();
  Ask(store, 1);
  Tell(store, [](Gate& gate) { gate.Refuse(absl::OkStatus()); });
  sim_.RunUntilIdle();
  EXPECT_TRUE(absl::IsCancelled(StatusOf(1))) << StatusOf(1);
}

TEST_F(GateTest, ThoseThatWaitAtAGateThatIsDestroyedAreCancelled) {
  const auto store = Spawn();
  Ask(store, 1);
  Ask(store, 2);
  store.Tell(
      Do{[](std::unique_ptr<Gate>& gate) { gate = std::make_unique<Gate>(); }});
  Ask(store, 3);
  sim_.RunUntilIdle();
  EXPECT_TRUE(absl::IsCancelled(StatusOf(1))) << StatusOf(1);
  EXPECT_TRUE(absl::IsCancelled(StatusOf(2))) << StatusOf(2);
  EXPECT_FALSE(replies_[3].has_value());  // at the next gate
}

TEST_F(GateTest, ACoroutineThatPassesMayDestroyTheGate) {
  const auto store = Spawn();
  for (int i = 1; i <= 3; ++i) Ask(store, i);
  record_.on_pass = [](std::unique_ptr<Gate>& gate, int number) {
    if (number == 1) gate = std::make_unique<Gate>();
  };
  Open(store);
  sim_.RunUntilIdle();
  EXPECT_EQ(**replies_[1], 10);
  EXPECT_TRUE(absl::IsCancelled(StatusOf(2))) << StatusOf(2);
  EXPECT_TRUE(absl::IsCancelled(StatusOf(3))) << StatusOf(3);
}

TEST_F(GateTest, P8_TheEndOfTheActorFailsTheAsksThatWait) {
  for (const bool throws : {false, true}) {
    const auto store = Spawn({}, {.name = "store"});
    Ask(store, 1);
    Ask(store, 2);
    sim_.RunUntilIdle();
    if (throws) {  // they do not pass any more
      store.Tell(Do{[](std::unique_ptr<Gate>& gate) {
        gate->Open();
        throw std::runtime_error("disk full");
      }});
    } else {
      store.Tell(End{});
    }
    sim_.RunUntilIdle();
    for (int i = 1; i <= 2; ++i) {
      EXPECT_TRUE(absl::IsNotFound(StatusOf(i))) << StatusOf(i);
      EXPECT_TRUE(absl::StrContains(StatusOf(i).message(), "store has ended"))
          << StatusOf(i);
    }
    EXPECT_EQ(record_.frames, 0);
    replies_.clear();
  }
}

class Keeper : public Actor {
 public:
  explicit Keeper(Record* record) : record_(record) {}
  void OnStart() override {
    seat_ = *Seat::Reserve<Store>(
        Self(this), {.name = "store"},
        [record = record_] { return std::make_unique<Store>(record); });
    seat_.Fill();
  }
  void On(const SeatTaken&) {}
  void On(const SeatEmpty&) { seat_.Fill(); }

 private:
  Record* const record_;
  Seat seat_;
};

TEST_F(GateTest, AfterARestartTheGateIsANewOne) {
  sim_.Spawn<Keeper>({}, &record_);
  sim_.RunUntilIdle();
  const auto store = *sim_.bus().Find<Store>("store");
  Ask(store, 1);
  store.Tell(Boom{});
  Ask(store, 2);  // it waits in the mailbox for the next object
  sim_.RunUntilIdle();
  EXPECT_TRUE(absl::IsNotFound(StatusOf(1))) << StatusOf(1);
  EXPECT_FALSE(replies_[2].has_value());
  Open(store);
  sim_.RunUntilIdle();
  EXPECT_EQ(**replies_[2], 20);
}

TEST_F(GateTest, P10_AShutdownWaitsForAsksAtTheGateUnlessTheyAreRefused) {
  record_.refuse_in_drain = true;
  const auto store = Spawn();
  Ask(store, 1);
  sim_.RunUntilIdle();
  EXPECT_TRUE(sim_.Finish().clean);
  EXPECT_EQ(StatusOf(1), absl::UnavailableError("it drains"));
}

TEST_F(GateTest, P10_AnAskAtTheGateMakesAShutdownUnclean) {
  const auto store = Spawn();
  Ask(store, 1);
  sim_.RunUntilIdle();
  EXPECT_FALSE(sim_.Finish().clean);
  EXPECT_FALSE(StatusOf(1).ok());
  EXPECT_EQ(record_.frames, 0);
}

}  // namespace
}  // namespace trolley
