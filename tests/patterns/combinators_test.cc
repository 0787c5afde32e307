// SPDX-License-Identifier: Apache-2.0
//
// WhenAll, WhenAny, Quorum, AskAll and Within: what they resolve to, when, and
// what is left when they are destroyed.

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/patterns/ask_all.h"
#include "trolley/actors/patterns/internal/branches.h"
#include "trolley/actors/patterns/quorum.h"
#include "trolley/actors/patterns/when_all.h"
#include "trolley/actors/patterns/when_any.h"
#include "trolley/actors/patterns/within.h"
#include "trolley/actors/testing/probe.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/patterns/lab.h"

namespace trolley::testing {
namespace {

class CombinatorsTest : public ::testing::Test {
 protected:
  SimBus sim_;
  const Ref<Lab> lab_ = sim_.Spawn<Lab>({.name = "lab"});
  const Instant start_ = sim_.Now();

  absl::Duration Took() const { return sim_.Now() - start_; }
};

// What g++ 12 destroys twice as a part of a co_await expression is refused.
TEST(TemporariesTest, WhatWouldDieTwiceIsRefused) {
  struct Text {
    std::string text;
  };
  struct Number {
    int number;
  };
  const std::string text = "a text that is too long to be in place";
  const auto owns = [text] { return text; };
  const auto refers = [&text] { return text; };
  using Owns = std::remove_const_t<decltype(owns)>;
  using Refers = std::remove_const_t<decltype(refers)>;
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
  static_assert(!internal::kDiesOnce<Text>);
  static_assert(!internal::kDiesOnce<Owns>);
#endif
  static_assert(internal::kDiesOnce<Text&>);
  static_assert(internal::kDiesOnce<const Owns&>);
  static_assert(internal::kDiesOnce<Number>);
  static_assert(internal::kDiesOnce<Refers>);
  static_assert(internal::kDiesOnce<std::string>);
  static_assert(internal::kDiesOnce<std::function<void()>>);
  static_assert(internal::kDiesOnce<std::reference_wrapper<Owns>>);
  EXPECT_EQ(owns(), refers());
}

// --- WhenAll ---------------------------------------------------------------

TEST_F(CombinatorsTest, WhenAllTakesAsLongAsTheLongest) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [](Lab& lab) -> Task<absl::Status> {
                    auto [a, b, c] = co_await WhenAll(
                        lab.Later(30, 1), lab.Later(10, 2), lab.Later(0, 3));
                    EXPECT_EQ(a, 1);
                    EXPECT_EQ(b, 2);
                    EXPECT_EQ(c, 3);
                    EXPECT_EQ(lab.alive(), 0);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  EXPECT_EQ(Took(), absl::Milliseconds(30));
}

TEST_F(CombinatorsTest, WhenAllKeepsTheOrderOfItsTasks) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [](Lab& lab) -> Task<absl::Status> {
                    std::vector<Task<int>> tasks;
                    for (int i = 0; i < 200; ++i) {
                      tasks.push_back(lab.Deep(i % 4, (i * 37) % 50, i));
                    }
                    const std::vector<int> got =
                        co_await WhenAll(std::move(tasks));
                    EXPECT_EQ(got.size(), 200u);
                    for (size_t i = 0; i < got.size(); ++i) {
                      EXPECT_EQ(got[i], static_cast<int>(i));
                    }
                    EXPECT_EQ(lab.alive(), 0);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  EXPECT_EQ(Took(), absl::Milliseconds(49));
}

TEST_F(CombinatorsTest, TasksBeginInOrderAndInOneTurn) {
  std::vector<int> begun;
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab& lab) -> Task<absl::Status> {
                    const auto note = [&](int i) -> Task<> {
                      begun.push_back(i);
                      co_await lab.Sleep(absl::Milliseconds(1));
                      EXPECT_EQ(begun.size(), 100u);
                    };
                    std::vector<Task<>> tasks;
                    for (int i = 0; i < 100; ++i) tasks.push_back(note(i));
                    EXPECT_TRUE(begun.empty());
                    co_await WhenAll(std::move(tasks));
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(begun[i], i);
  EXPECT_EQ(Took(), absl::Milliseconds(1));
}

TEST_F(CombinatorsTest, WhenAllOfNoTaskIsThereAtOnce) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [](Lab&) -> Task<absl::Status> {
                    EXPECT_EQ(
                        (co_await WhenAll(std::vector<Task<int>>())).size(),
                        0u);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
}

TEST_F(CombinatorsTest, WhenAllTakesWhatCannotBeCopied) {
  const auto make = [](Lab& lab, int ms) -> Task<std::unique_ptr<int>> {
    co_await lab.Sleep(absl::Milliseconds(ms));
    co_return std::make_unique<int>(ms);
  };
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab& lab) -> Task<absl::Status> {
                    auto [a, b, c] = co_await WhenAll(
                        make(lab, 5), make(lab, 3),
                        lab.Failing(1, absl::DataLossError("as told")));
                    EXPECT_EQ(*a, 5);
                    EXPECT_EQ(*b, 3);
                    co_return c;
                  }),
            absl::DataLossError("as told"));
}

TEST_F(CombinatorsTest, WhenAllMayStandInWhenAll) {
  const auto pair = [](Lab& lab, int ms) -> Task<int> {
    auto [a, b] = co_await WhenAll(lab.Deep(2, ms, 1), lab.Later(2 * ms, 2));
    co_return a + b;
  };
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab& lab) -> Task<absl::Status> {
                    auto [a, b, c] = co_await WhenAll(
                        pair(lab, 10), pair(lab, 7), lab.Later(12, 5));
                    EXPECT_EQ(a + b + c, 11);
                    EXPECT_EQ(lab.alive(), 0);
                    co_await lab.Sleep(absl::Milliseconds(1));
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  EXPECT_EQ(Took(), absl::Milliseconds(21));
}

TEST_F(CombinatorsTest, P23_AThrowEndsTheOtherTasks) {
  const auto throws = [](Lab& lab) -> Task<int> {
    co_await lab.Sleep(absl::Milliseconds(5));
    throw std::runtime_error("disk full");
  };
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab& lab) -> Task<absl::Status> {
                    std::string text;
                    try {
                      co_await WhenAll(lab.Never(), throws(lab), lab.Never());
                    } catch (const std::runtime_error& e) {
                      text = e.what();
                    }
                    EXPECT_EQ(text, "disk full");
                    EXPECT_EQ(lab.alive(), 0);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  EXPECT_EQ(Took(), absl::Milliseconds(5));
}

TEST_F(CombinatorsTest, ATaskThatEndsAsItBeginsEndsTheRest) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab& lab) -> Task<absl::Status> {
                    std::vector<Task<int>> tasks;
                    tasks.push_back(lab.Never());
                    tasks.push_back(lab.Later(0, 7));
                    tasks.push_back(lab.Never());
                    const auto first = co_await WhenAny(std::move(tasks));
                    EXPECT_EQ(first->index, 1u);
                    EXPECT_EQ(first->value, 7);
                    EXPECT_EQ(lab.alive(), 0);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  EXPECT_EQ(Took(), absl::ZeroDuration());
}

TEST_F(CombinatorsTest, ItRunsInABackgroundTaskToo) {
  int sum = 0;
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab& lab) -> Task<absl::Status> {
                    const auto work = [&lab, &sum]() -> Task<absl::Status> {
                      auto [a, b] =
                          co_await WhenAll(lab.Later(3, 1), lab.Later(4, 2));
                      sum = a + b;
                      co_return absl::OkStatus();
                    };
                    lab.RunInBackground(work);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  sim_.RunFor(absl::Milliseconds(4));
  EXPECT_EQ(sum, 3);
}

// --- WhenAny ---------------------------------------------------------------

TEST_F(CombinatorsTest, P23_WhenAnyCancelsTheLosers) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [](Lab& lab) -> Task<absl::Status> {
                    auto first = co_await WhenAny(
                        lab.Deep(3, 20, 1), lab.Later(10, 2),
                        lab.Failing(30, absl::AbortedError("late")));
                    EXPECT_EQ(first.index(), 1u);
                    EXPECT_EQ(std::get<1>(first), 2);
                    EXPECT_EQ(lab.alive(), 0);
                    // The handler still works: it waits, and awaits tasks.
                    EXPECT_EQ(co_await lab.Deep(3, 5, 9), 9);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  EXPECT_EQ(Took(), absl::Milliseconds(15));
}

TEST_F(CombinatorsTest, WhenAnyOfEqualTasksTakesTheFirst) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [](Lab& lab) -> Task<absl::Status> {
                    auto first =
                        co_await WhenAny(lab.Later(5, 1), lab.Later(5, 2));
                    EXPECT_EQ(first.index(), 0u);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
}

TEST_F(CombinatorsTest, WhenAnyOfNoTaskIsAnError) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [](Lab&) -> Task<absl::Status> {
                    const auto first =
                        co_await WhenAny(std::vector<Task<int>>());
                    co_return first.status();
                  })
                .code(),
            absl::StatusCode::kInvalidArgument);
}

// --- Asks ------------------------------------------------------------------

struct Query {
  int number;
};
struct Text {
  std::string text;
};

// Replies after a time of its own.
class Replica : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  Replica(int ms, absl::StatusOr<int> reply, int* waiting)
      : ms_(ms), reply_(std::move(reply)), waiting_(waiting) {}
  Task<absl::StatusOr<int>> On(Query) {
    Counted counted(*waiting_);
    co_await Sleep(absl::Milliseconds(ms_));
    co_return reply_;
  }
  Task<absl::Status> On(Text) {
    co_await Sleep(absl::Milliseconds(ms_));
    co_return absl::OkStatus();
  }

 private:
  const int ms_;
  const absl::StatusOr<int> reply_;
  int* const waiting_;
};

class AsksTest : public CombinatorsTest {
 protected:
  void Add(int ms, absl::StatusOr<int> reply) {
    replicas_.push_back(sim_.Spawn<Replica>(
        {.name = absl::StrCat("r", replicas_.size())}, ms, reply, &waiting_));
  }
  int waiting_ = 0;  // handlers of the replicas
  std::vector<Ref<Replica>> replicas_;
};

TEST_F(AsksTest, AskAllGivesEachReply) {
  Add(10, 1);
  Add(30, absl::DataLossError("as told"));
  Add(20, 3);
  Add(1000, 4);
  replicas_.emplace_back();
  EXPECT_EQ(
      RunIn(sim_, lab_,
            [&](Lab&) -> Task<absl::Status> {
              const std::vector<absl::StatusOr<int>> replies =
                  co_await AskAll(replicas_, Query{1}, absl::Milliseconds(100));
              EXPECT_EQ(replies.size(), 5u);
              EXPECT_EQ(*replies[0], 1);
              EXPECT_EQ(replies[1].status(), absl::DataLossError("as told"));
              EXPECT_EQ(*replies[2], 3);
              EXPECT_EQ(replies[3].status().code(),
                        absl::StatusCode::kDeadlineExceeded);
              EXPECT_EQ(replies[4].status().code(),
                        absl::StatusCode::kNotFound);
              co_return absl::OkStatus();
            }),
      absl::OkStatus());
  EXPECT_EQ(Took(), absl::Milliseconds(100));
  sim_.RunFor(absl::Milliseconds(20));
  EXPECT_EQ(waiting_, 0) << "the handler of a late ask goes on";
}

TEST_F(AsksTest, AMessageThatIsNoTemporaryMayHaveAString) {
  Add(1, 1);
  Add(2, 1);
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab&) -> Task<absl::Status> {
                    const Text text{"a text that is too long to be in place"};
                    for (const absl::Status& reply :
                         co_await AskAll(replicas_, text, absl::Seconds(1))) {
                      EXPECT_EQ(reply, absl::OkStatus());
                    }
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
}

TEST_F(AsksTest, P23_ATaskOfAnAskThatIsDroppedCancelsTheAsk) {
  Add(1000, 1);
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab& lab) -> Task<absl::Status> {
                    auto asks =
                        AskEach(replicas_, Query{1}, absl::InfiniteDuration());
                    co_await lab.Sleep(absl::Milliseconds(1));
                    EXPECT_EQ(waiting_, 1);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  sim_.RunFor(absl::Milliseconds(20));
  EXPECT_EQ(waiting_, 0);
}

TEST_F(AsksTest, AQuorumIsThereWithTheLastVoteThatItNeeds) {
  Add(30, 3);
  Add(10, absl::UnavailableError("down"));
  Add(20, 2);
  Add(40, 4);
  Add(50, 5);
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab&) -> Task<absl::Status> {
                    auto votes = co_await Quorum(
                        3, AskEach(replicas_, Query{1}, absl::Seconds(1)));
                    if (!votes.ok()) co_return votes.status();
                    EXPECT_EQ(votes->size(), 3u);
                    EXPECT_EQ((*votes)[0].index, 2u);
                    EXPECT_EQ((*votes)[0].value, 2);
                    EXPECT_EQ((*votes)[1].index, 0u);
                    EXPECT_EQ((*votes)[2].index, 3u);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  EXPECT_EQ(Took(), absl::Milliseconds(40));
  sim_.RunFor(absl::Milliseconds(20));
  EXPECT_EQ(waiting_, 0) << "the fifth replica still works";
}

TEST_F(AsksTest, AQuorumFailsAsSoonAsItIsImpossible) {
  Add(100, 1);
  Add(10, absl::UnavailableError("down"));
  Add(20, absl::AbortedError("split"));
  EXPECT_EQ(
      RunIn(sim_, lab_,
            [&](Lab&) -> Task<absl::Status> {
              const auto votes = co_await Quorum(
                  2, AskEach(replicas_, Query{1}, absl::Seconds(1)));
              EXPECT_EQ(votes.status().code(), absl::StatusCode::kAborted);
              EXPECT_EQ(votes.status().message(),
                        "0 of 3 tasks have succeeded, 2 are needed, and 2 have "
                        "failed; [1] UNAVAILABLE: down; [2] ABORTED: split");
              co_return absl::OkStatus();
            }),
      absl::OkStatus());
  EXPECT_EQ(Took(), absl::Milliseconds(20));
}

TEST_F(AsksTest, AQuorumOfAllNeedsAllAndOneFailureIsEnough) {
  Add(100, 1);
  Add(10, absl::UnavailableError("down"));
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab&) -> Task<absl::Status> {
                    const auto votes = co_await Quorum(
                        2, AskEach(replicas_, Query{1}, absl::Seconds(1)));
                    co_return votes.status();
                  })
                .code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(Took(), absl::Milliseconds(10));
}

TEST_F(AsksTest, ThereIsNoQuorumOfNoneAndNoneOfMoreThanAll) {
  Add(1, 1);
  for (const size_t needed : {size_t{0}, size_t{2}}) {
    const absl::Status status =
        RunIn(sim_, lab_, [&](Lab&) -> Task<absl::Status> {
          const auto votes = co_await Quorum(
              needed, AskEach(replicas_, Query{1}, absl::Seconds(1)));
          co_return votes.status();
        });
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "of 1 tasks")) << status;
  }
}

TEST_F(AsksTest, FirstOkPassesOverFailures) {
  Add(10, absl::UnavailableError("down"));
  Add(30, 3);
  Add(20, 2);
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab&) -> Task<absl::Status> {
                    auto first = co_await FirstOk(
                        AskEach(replicas_, Query{1}, absl::Seconds(1)));
                    EXPECT_EQ(first->index, 2u);
                    EXPECT_EQ(first->value, 2);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  EXPECT_EQ(Took(), absl::Milliseconds(20));
}

TEST_F(CombinatorsTest, AQuorumOfStatusesHasNoValues) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [](Lab& lab) -> Task<absl::Status> {
                    std::vector<Task<absl::Status>> tasks;
                    tasks.push_back(lab.Failing(5, absl::OkStatus()));
                    tasks.push_back(lab.Failing(1, absl::AbortedError("")));
                    auto votes = co_await Quorum(1, std::move(tasks));
                    EXPECT_EQ(votes->front().index, 0u);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
}

// --- Within ----------------------------------------------------------------

TEST_F(CombinatorsTest, P23_WithinGivesTheResultOrDeadlineExceeded) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [](Lab& lab) -> Task<absl::Status> {
                    absl::StatusOr<int> soon = co_await Within(
                        absl::Milliseconds(10), lab.Deep(3, 9, 5));
                    EXPECT_EQ(*soon, 5);
                    absl::StatusOr<int> late = co_await Within(
                        absl::Milliseconds(10), lab.Deep(3, 11, 5));
                    EXPECT_EQ(late.status(),
                              absl::DeadlineExceededError(
                                  "the task has not ended within 10ms"));
                    EXPECT_EQ(lab.alive(), 0);
                    absl::Status failed = co_await Within(
                        absl::Milliseconds(10),
                        lab.Failing(1, absl::AbortedError("as told")));
                    EXPECT_EQ(failed, absl::AbortedError("as told"));
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
  EXPECT_EQ(Took(), absl::Milliseconds(9 + 10 + 1));
}

TEST_F(CombinatorsTest, WithDeadlineEndsThen) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [&](Lab& lab) -> Task<absl::Status> {
                    const Instant end = lab.Now() + absl::Milliseconds(10);
                    co_await lab.Sleep(absl::Milliseconds(4));
                    absl::StatusOr<int> late =
                        co_await WithDeadline(end, lab.Never());
                    co_return late.status();
                  })
                .code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Took(), absl::Milliseconds(10));
}

TEST_F(CombinatorsTest, ALimitThatIsOverBeginsNothing) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [](Lab& lab) -> Task<absl::Status> {
                    bool begun = false;
                    const auto note = [&]() -> Task<> {
                      begun = true;
                      co_return;
                    };
                    const absl::Status late =
                        co_await Within(absl::ZeroDuration(), note());
                    EXPECT_FALSE(begun);
                    EXPECT_EQ(lab.alive(), 0);
                    co_return late;
                  })
                .code(),
            absl::StatusCode::kDeadlineExceeded);
}

// --- Branches, which all of them stand on ----------------------------------

TEST_F(CombinatorsTest, P23_WhatIsNotWantedIsDestroyedWhenRunReturns) {
  EXPECT_EQ(RunIn(sim_, lab_,
                  [](Lab& lab) -> Task<absl::Status> {
                    internal::BranchResult<int> results[3];
                    internal::Branches branches;
                    branches.Add(lab.Never(), results[0]);
                    branches.Add(lab.Later(5, 1), results[1]);
                    branches.Add(lab.Deep(3, 7, 2), results[2]);
                    std::vector<size_t> ended;
                    const auto goes_on = [&](size_t index) {
                      ended.push_back(index);
                      return ended.size() < 2;
                    };
                    co_await branches.Run(goes_on);
                    EXPECT_EQ(lab.alive(), 0);
                    EXPECT_EQ(ended, (std::vector<size_t>{1, 2}));
                    EXPECT_FALSE(results[0].value.has_value());
                    EXPECT_EQ(results[1].value, 1);
                    EXPECT_EQ(results[2].value, 2);
                    co_return absl::OkStatus();
                  }),
            absl::OkStatus());
}

// --- Destroyed in the middle -----------------------------------------------

TEST_F(CombinatorsTest, P23_ACancelledHandlerLeavesNothing) {
  const auto nest = [](Lab& lab) -> Task<int> {
    auto [a, b] = co_await WhenAll(lab.Deep(4, 60, 1), lab.Never());
    co_return a + b;
  };
  std::shared_ptr<const int> alive;
  const Outcome outcome = Begin(
      lab_,
      [&](Lab& lab) -> Task<absl::Status> {
        alive = lab.alive_counter();
        std::vector<Task<int>> tasks;
        for (int i = 0; i < 100; ++i) tasks.push_back(nest(lab));
        auto first =
            co_await WhenAny(WhenAll(std::move(tasks)),
                             Within(absl::Hours(1), lab.Deep(10, 3'000, 1)));
        co_return absl::OkStatus();
      },
      absl::Milliseconds(50));
  sim_.RunFor(absl::Milliseconds(10));
  EXPECT_GT(*alive, 200);
  sim_.RunFor(absl::Milliseconds(60));
  EXPECT_EQ((*outcome)->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(*alive, 0);
}

TEST_F(CombinatorsTest, P23_ABusThatShutsDownLeavesNothing) {
  std::shared_ptr<const int> alive;
  Begin(lab_, [&](Lab& lab) -> Task<absl::Status> {
    alive = lab.alive_counter();
    co_await WhenAll(lab.Deep(3, 1000, 1), lab.Never(),
                     Within(absl::Hours(1), lab.Never()));
    co_return absl::OkStatus();
  });
  sim_.RunFor(absl::Milliseconds(1));
  EXPECT_GT(*alive, 0);
  sim_.Finish();
  EXPECT_EQ(*alive, 0);
}

// A tree of tasks that draws its shape from the seed. Counts what it returns.
class Forest {
 public:
  Forest(uint64_t seed, Lab& lab) : random_(seed), lab_(lab) {}

  Task<int> Tree(int depth) {
    Counted counted(alive_);
    const int kind = depth == 0 ? 0 : static_cast<int>(Below(7));
    switch (kind) {
      case 0:
      case 1:
        for (int i = static_cast<int>(Below(4)); i > 0; --i) {
          co_await lab_.Sleep(absl::Milliseconds(Below(8)));
        }
        if (Below(30) == 0) throw std::runtime_error("a leaf");
        co_return 1;
      case 2:
        co_return co_await Tree(depth - 1);
      case 3: {
        std::vector<Task<int>> tasks;
        const size_t count = Below(6);
        for (size_t i = 0; i < count; ++i) tasks.push_back(Tree(depth - 1));
        int sum = 1;
        for (const int got : co_await WhenAll(std::move(tasks))) sum += got;
        co_return sum;
      }
      case 4: {
        auto first = co_await WhenAny(Tree(depth - 1), Tree(depth - 1));
        co_return first.index() == 0 ? std::get<0>(first) : std::get<1>(first);
      }
      case 5: {
        const int before = alive_;
        const auto got =
            co_await Within(absl::Milliseconds(Below(12)), Tree(depth - 1));
        (void)before;
        co_return got.value_or(0);
      }
      default: {
        try {
          auto [a, b] = co_await WhenAll(Tree(depth - 1), Tree(depth - 1));
          co_return a + b;
        } catch (const std::runtime_error&) {
        }
        co_await lab_.Sleep(absl::Milliseconds(Below(3)));
        co_return 2;
      }
    }
  }

  int alive() const { return alive_; }
  uint64_t Below(uint64_t bound) { return random_.Below(bound); }

 private:
  SimRandom random_;
  Lab& lab_;
  int alive_ = 0;
};

TEST(CombinatorsSeeds, P23_TreesOfTasksEndAndLeaveNothing) {
  uint64_t ended = 0, cancelled = 0;
  const uint64_t seeds = ForEachSeed(2000, [&](uint64_t seed) {
    SimBus sim({.seed = seed});
    auto lab = sim.Spawn<Lab>({});
    SimRandom random(seed);
    std::vector<std::unique_ptr<Forest>> forests;
    std::vector<Outcome> outcomes;
    const int handlers = 1 + static_cast<int>(random.Below(3));
    for (int i = 0; i < handlers; ++i) {
      const uint64_t own = random.Next();
      const absl::Duration limit = random.Below(2) == 0
                                       ? absl::InfiniteDuration()
                                       : absl::Milliseconds(random.Below(20));
      outcomes.push_back(Begin(
          lab,
          [&, own](Lab& lab) -> Task<absl::Status> {
            forests.push_back(std::make_unique<Forest>(own, lab));
            Forest& forest = *forests.back();
            try {
              (void)co_await forest.Tree(5);
            } catch (const std::runtime_error&) {
            }
            EXPECT_EQ(forest.alive(), 0);
            EXPECT_EQ(co_await forest.Tree(0) * 0, 0);
            co_return absl::OkStatus();
          },
          limit));
    }
    if (random.Below(4) == 0) {
      sim.RunFor(absl::Milliseconds(random.Below(10)));
      lab.Stop();
    }
    if (random.Below(4) != 0) sim.RunFor(absl::Seconds(1));
    sim.Finish();
    for (const Outcome& outcome : outcomes) {
      ASSERT_TRUE(outcome->has_value());
      (*outcome)->ok() ? ++ended : ++cancelled;
    }
    for (const auto& forest : forests) EXPECT_EQ(forest->alive(), 0);
  });
  if (seeds < 2000) return;  // one seed is run again
  EXPECT_GT(ended, 500u);
  EXPECT_GT(cancelled, 500u);
}

}  // namespace
}  // namespace trolley::testing
