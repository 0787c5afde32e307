// SPDX-License-Identifier: Apache-2.0
//
// Saga: all steps hold, or all are undone, whatever becomes of the handler.

#include "trolley/actors/patterns/saga.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
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
#include "trolley/actors/patterns/when_all.h"
#include "trolley/tests/patterns/lab.h"
#include "trolley/tests/patterns/storm.h"

namespace trolley::testing {
namespace {

using Lines = std::vector<std::string>;

class SagaTest : public ::testing::Test {
 protected:
  Sagas::RunInBackground Background() {
    return [this](Task<absl::Status> task) {
      lab_object_->RunInBackground(std::move(task));
    };
  }
  // It outlives the bus, and so its sagas.
  Sagas& Make(const SagaOptions& options) {
    return *made_.emplace_back(std::make_unique<Sagas>(Background(), options));
  }
  SagaOptions Options() {
    return {.undo = {.attempts = 3,
                     .first_pause = absl::Milliseconds(10),
                     .jitter = 0},
            .ended = [this](const SagaEnd& end) { ends_.push_back(end); }};
  }
  // Runs `what` with a saga.
  Outcome BeginSaga(Sagas& sagas,
                    std::function<Task<absl::Status>(Lab&, Saga&)> what,
                    absl::Duration limit = absl::InfiniteDuration()) {
    return Begin(
        lab_,
        [this, &sagas, what](Lab& lab) -> Task<absl::Status> {
          lab_object_ = &lab;
          absl::StatusOr<Saga> saga = sagas.Begin("s");
          if (!saga.ok()) co_return saga.status();
          co_return co_await what(lab, *saga);
        },
        limit);
  }
  // A step that takes `ms`, and a compensation that notes its name.
  Task<absl::Status> Step(Lab& lab, Saga& saga, std::string name, int ms = 0,
                          absl::Status result = absl::OkStatus()) {
    const auto work = [&] { return lab.Failing(ms, result); };
    const auto undo = [this, &lab, name]() -> Task<absl::Status> {
      lines_.push_back(name);
      return lab.Failing(1, TakeError(name));
    };
    co_return co_await saga.Step(name, work, undo);
  }
  // The error of the next call of this compensation.
  absl::Status TakeError(const std::string& name) {
    auto& left = errors_[name];
    return left > 0 && left-- > 0 ? absl::UnavailableError("no")
                                  : absl::Status();
  }

  Lab* lab_object_ = nullptr;
  Lines lines_;  // the compensations that were called
  std::map<std::string, int> errors_;
  std::vector<SagaEnd> ends_;
  std::vector<std::unique_ptr<Sagas>> made_;
  SimBus sim_;
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({});
};

TEST_F(SagaTest, WhatIsCommittedHolds) {
  Sagas& sagas = Make(Options());
  const Outcome outcome =
      BeginSaga(sagas, [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
        EXPECT_EQ(co_await Step(lab, saga, "a", 1), absl::OkStatus());
        EXPECT_EQ(co_await Step(lab, saga, "b", 1), absl::OkStatus());
        EXPECT_EQ(sagas.Unfinished().size(), 1u);
        EXPECT_EQ(sagas.Unfinished()[0].steps, (Lines{"a", "b"}));
        EXPECT_FALSE(sagas.Unfinished()[0].undoing);
        co_return saga.Commit();
      });
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ(**outcome, absl::OkStatus());
  EXPECT_TRUE(lines_.empty());
  EXPECT_TRUE(ends_.empty());
  EXPECT_EQ(sagas.stats().committed, 1u);
  EXPECT_TRUE(sagas.Unfinished().empty());
}

TEST_F(SagaTest, P23_UndoIsFromTheLastToTheFirstAndOverWhenItReturns) {
  Sagas& sagas = Make(Options());
  const Outcome outcome =
      BeginSaga(sagas, [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
        (void)co_await Step(lab, saga, "a");
        (void)co_await Step(lab, saga, "b");
        const absl::Status failed =
            co_await Step(lab, saga, "c", 0, absl::AbortedError("full"));
        EXPECT_TRUE(lines_.empty());
        const absl::Status undone = co_await saga.Undo(failed);
        EXPECT_EQ(lines_, (Lines{"c", "b", "a"}));
        co_return undone;
      });
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ(**outcome, absl::AbortedError("full"));
  EXPECT_EQ(sagas.stats().undone, 1u);
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].id, "s");
  EXPECT_TRUE(ends_[0].failures.empty());
}

TEST_F(SagaTest, P23_AReturnWithoutCommitUndoesInTheBackground) {
  Sagas& sagas = Make(Options());
  const Outcome outcome =
      BeginSaga(sagas, [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
        (void)co_await Step(lab, saga, "a");
        co_return absl::AbortedError("gave up");
      });
  sim_.RunUntilIdle();
  EXPECT_EQ(**outcome, absl::AbortedError("gave up"));
  EXPECT_TRUE(sagas.Unfinished()[0].undoing);
  sim_.RunFor(absl::Milliseconds(1));
  EXPECT_EQ(lines_, (Lines{"a"}));
  EXPECT_TRUE(sagas.Unfinished().empty());
}

TEST_F(SagaTest, P23_ACancelledHandlerIsUndoneWithTheStepThatItWasIn) {
  Sagas& sagas = Make(Options());
  BeginSaga(
      sagas,
      [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
        (void)co_await Step(lab, saga, "a");
        (void)co_await Step(lab, saga, "b", 1'000'000);
        co_return saga.Commit();
      },
      absl::Milliseconds(20));
  sim_.RunFor(absl::Milliseconds(10));
  EXPECT_TRUE(lines_.empty());
  sim_.RunFor(absl::Milliseconds(50));
  EXPECT_EQ(lines_, (Lines{"b", "a"}));
  EXPECT_EQ(sagas.stats().undone, 1u);
}

TEST_F(SagaTest, P23_ACancelledWaitForUndoDoesNotStopIt) {
  Sagas& sagas = Make(Options());
  errors_["a"] = 2;  // takes until 1 + 10 + 1 + 20 + 1 ms
  const Outcome outcome = BeginSaga(
      sagas,
      [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
        (void)co_await Step(lab, saga, "a");
        co_return co_await saga.Undo(absl::AbortedError("x"));
      },
      absl::Milliseconds(5));
  sim_.RunFor(absl::Milliseconds(100));
  EXPECT_EQ((*outcome)->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(lines_, (Lines{"a", "a", "a"}));
  EXPECT_EQ(sagas.stats().undone, 1u);
}

TEST_F(SagaTest, P23_AThrowIsUndone) {
  Sagas& sagas = Make(Options());
  BeginSaga(sagas, [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
    const auto undo = [&] {
      lines_.push_back("a");
      return lab.Failing(0, absl::OkStatus());
    };
    const auto bad = []() -> Task<absl::Status> {
      throw std::runtime_error("bad");
      co_return absl::OkStatus();
    };
    try {
      (void)co_await saga.Step("a", bad, undo);
    } catch (const std::runtime_error&) {
    }
    co_return absl::OkStatus();
  });
  sim_.RunFor(absl::Milliseconds(5));
  EXPECT_EQ(lines_, (Lines{"a"}));
}

TEST_F(SagaTest, ACompensationIsTriedAgainAndThenTheOthersGoOn) {
  Sagas& sagas = Make(Options());
  errors_["a"] = 2;
  errors_["b"] = 3;
  const Outcome outcome =
      BeginSaga(sagas, [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
        (void)co_await Step(lab, saga, "a");
        (void)co_await Step(lab, saga, "b");
        co_return co_await saga.Undo(absl::AbortedError("full"));
      });
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ(lines_, (Lines{"b", "b", "b", "a", "a", "a"}));
  EXPECT_EQ(
      **outcome,
      absl::AbortedError("full; step b could not be undone: UNAVAILABLE: no"));
  ASSERT_EQ(ends_.size(), 1u);
  ASSERT_EQ(ends_[0].failures.size(), 1u);
  EXPECT_EQ(ends_[0].failures[0].step, "b");
  EXPECT_EQ(ends_[0].failures[0].error, absl::UnavailableError("no"));
  EXPECT_EQ(sagas.stats().failed, 1u);
  EXPECT_TRUE(sagas.Unfinished().empty());
}

TEST_F(SagaTest, AfterAFailureThereIsNoStepAndNoCommit) {
  Sagas& sagas = Make(Options());
  const Outcome outcome =
      BeginSaga(sagas, [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
        (void)co_await Step(lab, saga, "a", 0, absl::AbortedError(""));
        EXPECT_EQ((co_await Step(lab, saga, "b")).code(),
                  absl::StatusCode::kFailedPrecondition);
        EXPECT_EQ(saga.Commit().code(), absl::StatusCode::kFailedPrecondition);
        (void)co_await saga.Undo(absl::AbortedError(""));
        EXPECT_EQ((co_await Step(lab, saga, "c")).code(),
                  absl::StatusCode::kFailedPrecondition);
        EXPECT_EQ((co_await saga.Undo(absl::AbortedError(""))).code(),
                  absl::StatusCode::kFailedPrecondition);
        co_return saga.Commit();
      });
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ((*outcome)->code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(lines_, (Lines{"a"}));
}

TEST_F(SagaTest, StepsMayRunAtTheSameTime) {
  Sagas& sagas = Make(Options());
  const Outcome outcome =
      BeginSaga(sagas, [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
        auto [a, b] = co_await WhenAll(
            Step(lab, saga, "a", 10, absl::AbortedError("full")),
            Step(lab, saga, "b", 20));
        EXPECT_EQ(b, absl::OkStatus());
        co_return co_await saga.Undo(a);
      });
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ(**outcome, absl::AbortedError("full"));
  EXPECT_EQ(lines_, (Lines{"b", "a"}));
}

TEST_F(SagaTest, P23_AnActorThatEndsLeavesAListAndSendsNothing) {
  Sagas& sagas = Make(Options());
  BeginSaga(sagas, [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
    (void)co_await Step(lab, saga, "a");
    (void)co_await Step(lab, saga, "b", 1'000'000);
    co_return saga.Commit();
  });
  BeginSaga(sagas, [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
    (void)co_await Step(lab, saga, "c");
    (void)co_await Step(lab, saga, "d");
    errors_["d"] = 100;
    co_return absl::AbortedError("gave up");
  });
  sim_.RunFor(absl::Milliseconds(2));
  lines_.clear();
  lab_.Stop();
  sim_.RunFor(absl::Seconds(1));
  EXPECT_TRUE(lines_.empty());
  const std::vector<UnfinishedSaga> unfinished = sagas.Unfinished();
  ASSERT_EQ(unfinished.size(), 2u);
  EXPECT_EQ(unfinished[0].steps, (Lines{"a", "b"}));
  EXPECT_EQ(unfinished[1].steps, (Lines{"c", "d"}));
  EXPECT_TRUE(unfinished[1].undoing);
}

TEST_F(SagaTest, SagasAndStepsAreLimited) {
  SagaOptions options = Options();
  options.sagas = 1;
  options.steps = 1;
  Sagas& sagas = Make(options);
  const Outcome first =
      BeginSaga(sagas, [&](Lab& lab, Saga& saga) -> Task<absl::Status> {
        (void)co_await Step(lab, saga, "a");
        EXPECT_EQ(co_await Step(lab, saga, "b"),
                  absl::ResourceExhaustedError(
                      "the saga has SagaOptions::steps = 1 steps"));
        co_await lab.Sleep(absl::Seconds(1));
        co_return saga.Commit();
      });
  const auto nothing = [](Lab&, Saga& saga) -> Task<absl::Status> {
    co_return saga.Commit();
  };
  const Outcome second = BeginSaga(sagas, nothing);
  sim_.RunUntilIdle();
  EXPECT_EQ(**second,
            absl::ResourceExhaustedError("SagaOptions::sagas = 1 sagas are "
                                         "under way or are being undone"));
  sim_.RunFor(absl::Seconds(1));
  EXPECT_EQ(**first, absl::OkStatus()) << "a refused step is no failed one";
  const Outcome third = BeginSaga(sagas, nothing);
  sim_.RunUntilIdle();
  EXPECT_EQ(**third, absl::OkStatus());
}

TEST_F(SagaTest, OptionsOutOfRangeAreNamed) {
  SagaOptions options = Options();
  options.undo.attempts = 0;
  EXPECT_EQ(ValidateSagaOptions(options),
            absl::InvalidArgumentError("SagaOptions::undo: "
                                       "RetryOptions::attempts is 0; it is 1 "
                                       "to 1000"));
  EXPECT_EQ(ValidateSagaOptions({.sagas = 0}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ValidateSagaOptions({.steps = 0}).code(),
            absl::StatusCode::kInvalidArgument);
  Sagas& sagas = Make(options);
  EXPECT_EQ(sagas.Begin("s").status().code(),
            absl::StatusCode::kInvalidArgument);
}

// --- Seeds -----------------------------------------------------------------

struct Reserve {
  uint64_t id;
  int ms;
  int fate;  // 0: answers; 1: refuses; 2: reserves and never answers
};
struct Release {
  uint64_t id;
  int ms;
  bool fails;
};

// What two partners hold. They live as long as the storm: a partner that
// forgets cannot be asked to undo.
class Hotel : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  explicit Hotel(std::set<uint64_t>* held) : held_(*held) {}
  Task<absl::Status> On(Reserve m) {
    if (m.fate == 1) co_return absl::ResourceExhaustedError("full");
    held_.insert(m.id);
    co_await Sleep(m.fate == 2 ? absl::InfiniteDuration()
                               : absl::Milliseconds(m.ms));
    co_return absl::OkStatus();
  }
  Task<absl::Status> On(Release m) {
    held_.erase(m.id);
    co_await Sleep(absl::Milliseconds(m.ms));
    if (m.fails) co_return absl::UnavailableError("as drawn");
    co_return absl::OkStatus();
  }

 private:
  std::set<uint64_t>& held_;
};

struct TravelWorld {
  std::set<uint64_t> held[2];
  Ref<Hotel> hotels[2];
  std::set<uint64_t> committed;
  std::set<uint64_t> unfinished;  // listed by an actor that has ended
  uint64_t undone = 0, cancelled = 0;
};

struct Book {
  uint64_t id;
};

class Travel : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  Travel(TravelWorld* world, uint64_t seed) : world_(*world), random_(seed) {}

  Task<absl::Status> On(Book m) {
    absl::StatusOr<Saga> saga = sagas_.Begin(absl::StrCat(m.id));
    if (!saga.ok()) co_return saga.status();
    for (int i = 0; i < 2; ++i) {
      const auto work = [&] {
        const uint64_t fate = random_.Below(10);
        return world_.hotels[i].Ask(
            Reserve{m.id, Ms(), fate < 2 ? static_cast<int>(fate) + 1 : 0},
            absl::Milliseconds(15));
      };
      const auto undo = [this, i, id = m.id] {
        return world_.hotels[i].Ask(Release{id, Ms(), random_.Below(4) == 0},
                                    absl::Milliseconds(15));
      };
      const absl::Status done =
          co_await saga->Step(absl::StrCat("hotel ", i), work, undo);
      if (!done.ok() && random_.Below(2) == 0) co_return done;
      if (!done.ok()) co_return co_await saga->Undo(done);
    }
    const absl::Status committed = saga->Commit();
    if (committed.ok()) world_.committed.insert(m.id);
    co_return committed;
  }
  void OnStop() {
    for (const UnfinishedSaga& saga : sagas_.Unfinished()) {
      world_.unfinished.insert(std::stoull(saga.id));
    }
    const SagaStats& s = sagas_.stats();
    EXPECT_EQ(s.begun,
              s.committed + s.undone + s.failed + sagas_.Unfinished().size());
    EXPECT_EQ(s.failed, 0u);
    world_.undone += s.undone;
  }

 private:
  int Ms() { return static_cast<int>(random_.Below(20)); }

  TravelWorld& world_;
  SimRandom random_;
  Sagas sagas_{[this](Task<absl::Status> t) { RunInBackground(std::move(t)); },
               {.undo = {.attempts = 100,
                         .longest_pause = absl::Seconds(1),
                         .budget_per_call = 1000,
                         .budget_at_most = 1e6}}};
};

TEST(SagaSeeds, P23_AllHoldOrAllAreUndoneOrTheActorHasListedIt) {
  uint64_t committed = 0, undone = 0, listed = 0;
  const uint64_t seeds = ForEachSeed(500, [&](uint64_t seed) {
    TravelWorld world;
    SimRandom random(seed);
    uint64_t ids = 0;
    {
      SimBus sim({.loops = 1 + static_cast<int>(seed % 2), .seed = seed});
      for (int i = 0; i < 2; ++i) {
        world.hotels[i] = sim.Spawn<Hotel>({}, &world.held[i]);
      }
      Ref<Travel> travel = sim.Spawn<Travel>({}, &world, seed);
      for (uint64_t steps = 10 + random.Below(30); steps > 0; --steps) {
        for (uint64_t n = random.Below(3); n > 0; --n) {
          travel.AskThen(Book{ids++},
                         random.Below(3) == 0
                             ? absl::Seconds(10)
                             : absl::Milliseconds(random.Below(40)),
                         [&](absl::Status status) {
                           if (absl::IsDeadlineExceeded(status)) {
                             ++world.cancelled;
                           }
                         });
        }
        sim.RunFor(absl::Milliseconds(random.Below(12)));
        if (random.Below(20) == 0) {
          travel.Stop(random.Below(2) == 0);
          sim.RunFor(absl::Milliseconds(random.Below(3)));
          travel = sim.Spawn<Travel>({}, &world, seed + steps);
        }
      }
      if (random.Below(3) != 0) sim.RunFor(absl::Minutes(10));
      sim.Finish();
      world.hotels[0] = world.hotels[1] = Ref<Hotel>();
    }
    for (uint64_t id = 0; id < ids; ++id) {
      const size_t held = world.held[0].count(id) + world.held[1].count(id);
      if (world.committed.count(id) > 0) {
        EXPECT_EQ(held, 2u) << id;
      } else if (world.unfinished.count(id) == 0) {
        EXPECT_EQ(held, 0u) << id;
      }
    }
    committed += world.committed.size();
    listed += world.unfinished.size();
    undone += world.undone;
  });
  if (seeds < 500) return;  // one seed is run again
  EXPECT_GT(committed, 1000u);
  EXPECT_GT(undone, 1000u);
  EXPECT_GT(listed, 300u);
}

}  // namespace
}  // namespace trolley::testing
