// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/model_test.h"
#include "trolley/actors/testing/seeds.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/testing/caught.h"
#include "trolley/tests/testing/clean_environment.h"

namespace trolley::testing {
namespace {

// --- The actor under test ---

struct Enqueue {
  int value;
};
struct Dequeue {};

class Queue : public Actor {
 public:
  explicit Queue(bool has_bug) : has_bug_(has_bug) {}
  void On(const Enqueue& m) {
    // The bug: the third value jumps the queue.
    if (has_bug_ && values_.size() == 2) {
      values_.push_front(m.value);
    } else {
      values_.push_back(m.value);
    }
  }
  absl::StatusOr<int> On(const Dequeue&) {
    if (values_.empty()) return absl::OutOfRangeError("the queue is empty");
    const int value = values_.front();
    values_.pop_front();
    return value;
  }

 private:
  const bool has_bug_;
  std::deque<int> values_;
};

// --- Its model ---

template <bool kHasBug>
class ModelOf {
 public:
  struct Push {
    int value;
    friend std::ostream& operator<<(std::ostream& to, const Push& c) {
      return to << c.value;
    }
  };
  struct Pop {};
  using Command = std::variant<Push, Pop>;

  static SimBusOptions Options() { return {.loops = 2}; }
  explicit ModelOf(SimBus& sim)
      : sim_(sim), queue_(sim.Spawn<Queue>({.loop = 1}, kHasBug)) {}
  Command Generate(Choices& choices) {
    if (choices.Below(2) == 0) return Pop{};
    return Push{static_cast<int>(choices.Below(100))};
  }
  void Apply(const Push& c) {
    queue_.Tell(Enqueue{c.value});
    expected_.push_back(c.value);
  }
  void Apply(const Pop&) {
    const absl::StatusOr<int> got =
        sim_.Ask(queue_, Dequeue{}, absl::Seconds(1));
    if (expected_.empty()) {
      EXPECT_EQ(got.status().code(), absl::StatusCode::kOutOfRange);
      return;
    }
    EXPECT_EQ(got.value_or(-1), expected_.front());
    expected_.pop_front();
  }
  void Check() { ++checks; }

  static inline int checks = 0;

 private:
  SimBus& sim_;
  const Ref<Queue> queue_;
  std::deque<int> expected_;
};
using QueueModel = ModelOf<true>;
class GoodQueueModel : public ModelOf<false> {
 public:
  using ModelOf<false>::ModelOf;
};

using TestModelTest = CleanEnvironment;
constexpr ModelTestOptions kMany = {.explore = {.runs = 1'000}};

TEST_F(TestModelTest, AQueueDoesWhatItsModelDoes) {
  GoodQueueModel::checks = 0;
  const TestedModel tested =
      TestModel<GoodQueueModel>({.explore = {.runs = 200}});
  EXPECT_EQ(tested.explored.seeds, 200u);
  EXPECT_FALSE(tested.explored.failed.has_value());
  EXPECT_TRUE(tested.commands.empty());
  EXPECT_EQ(tested.test, "");
  // The mean of 0 to 30 commands is 15.
  EXPECT_GT(GoodQueueModel::checks, 200 * 12);
  EXPECT_LT(GoodQueueModel::checks, 200 * 18);
}

TEST_F(TestModelTest, P18_ABugIsFoundShrunkToTheMinimumAndFoundAgain) {
  TestedModel found;
  const Caught caught = Catch([&] { found = TestModel<QueueModel>(kMany); });
  ASSERT_TRUE(found.explored.failed.has_value());
  ASSERT_EQ(caught.failures.size(), 1u);
  // No list of three commands fails, and no smaller values.
  const std::vector<std::string> least = {
      "ModelOf<true>::Push{0}", "ModelOf<true>::Push{0}",
      "ModelOf<true>::Push{1}", "ModelOf<true>::Pop{}"};
  EXPECT_EQ(found.commands, least);
  EXPECT_EQ(found.explored.turns, std::vector<uint64_t>{});
  const std::string seed = std::to_string(*found.explored.failed);
  EXPECT_EQ(found.test, "TEST(TestModelTestFound, Seed" + seed +
                            R"() {
  trolley::testing::RunCommands<ModelOf<true>>(
      {
          ModelOf<true>::Push{0},
          ModelOf<true>::Push{0},
          ModelOf<true>::Push{1},
          ModelOf<true>::Pop{},
      },
      {.seed = )" + seed + "});\n}\n");
  EXPECT_TRUE(absl::StrContains(caught.printed, found.test));
  EXPECT_TRUE(absl::StrContains(caught.printed,
                                ReplayLine(*found.explored.failed) + "\n"));
  EXPECT_TRUE(absl::StrContains(found.explored.text, found.commands[0] + "\n"));

  setenv("TROLLEY_SEED", seed.c_str(), 1);
  TestedModel again;
  const Caught caught_again =
      Catch([&] { again = TestModel<QueueModel>(kMany); });
  EXPECT_EQ(again.test, found.test);
  EXPECT_EQ(again.explored.text, found.explored.text);
  EXPECT_EQ(caught_again.failures, caught.failures);
}

// What was printed above, between these braces.
TEST_F(TestModelTest, P18_TheTestThatWasPrintedFailsInTheSameWay) {
  const Caught caught = Catch([] {
    trolley::testing::RunCommands<ModelOf<true>>(
        {
            ModelOf<true>::Push{0},
            ModelOf<true>::Push{0},
            ModelOf<true>::Push{1},
            ModelOf<true>::Pop{},
        },
        {.seed = 1});
  });
  ASSERT_EQ(caught.failures.size(), 1u);
  EXPECT_TRUE(absl::StrContains(caught.failures[0], "Which is: 1"));
  // Without the bug it passes.
  RunCommands<ModelOf<false>>({ModelOf<false>::Push{0}, ModelOf<false>::Push{0},
                               ModelOf<false>::Push{1}, ModelOf<false>::Pop{}});
}

// --- A bug that needs both: certain commands, and an order of the loops ---

struct Put {
  int value;
};
struct Take {};

// Keeps what others put there, and is asked for the last value.
class Cell : public Actor {
 public:
  void On(const Put& m) { value_ = m.value; }
  int On(const Take&) { return value_; }

 private:
  int value_ = 0;
};
// Passes on.
class Writer : public Actor {
 public:
  explicit Writer(Ref<Cell> cell) : cell_(std::move(cell)) {}
  void On(const Put& m) { cell_.Tell(Put{m.value}); }

 private:
  const Ref<Cell> cell_;
};

// The bug is in the model: it believes that the last Put wins, whichever of two
// writers passes it on.
class CellModel {
 public:
  struct Write {
    int writer;
    int value;
    friend std::ostream& operator<<(std::ostream& to, const Write& c) {
      return to << c.writer << ", " << c.value;
    }
  };
  struct Read {};
  using Command = std::variant<Write, Read>;

  static SimBusOptions Options() { return {.loops = 3}; }
  explicit CellModel(SimBus& sim) : sim_(sim) {
    cell_ = sim.Spawn<Cell>({.loop = 0});
    for (int loop : {1, 2}) {
      writers_.push_back(sim.Spawn<Writer>({.loop = loop}, cell_));
    }
  }
  Command Generate(Choices& choices) {
    if (choices.Below(3) == 0) return Read{};
    const int writer = static_cast<int>(choices.Below(2));
    return Write{writer, static_cast<int>(choices.Below(100))};
  }
  void Apply(const Write& c) {
    writers_[c.writer].Tell(Put{c.value});
    expected_ = c.value;
  }
  void Apply(const Read&) {
    sim_.RunUntilIdle();
    EXPECT_EQ(*sim_.Ask(cell_, Take{}, absl::Seconds(1)), expected_);
  }

 private:
  SimBus& sim_;
  Ref<Cell> cell_;
  std::vector<Ref<Writer>> writers_;
  int expected_ = 0;
};

TEST_F(TestModelTest, P18_ABugOfTheOrderIsShrunkToItsCommands) {
  TestedModel found;
  const Caught caught = Catch([&] { found = TestModel<CellModel>(kMany); });
  ASSERT_TRUE(found.explored.failed.has_value());
  ASSERT_EQ(caught.failures.size(), 1u);
  ASSERT_EQ(found.commands.size(), 3u) << found.test;
  EXPECT_EQ(found.commands[2], "CellModel::Read{}");
  // The printed test has the turns, if the plain order does not fail.
  std::vector<CellModel::Command> commands;
  for (int i : {0, 1}) {
    int writer = 0;
    int value = 0;
    ASSERT_EQ(std::sscanf(found.commands[i].c_str(), "CellModel::Write{%d, %d}",
                          &writer, &value),
              2);
    commands.push_back(CellModel::Write{writer, value});
  }
  commands.push_back(CellModel::Read{});
  const Caught again = Catch([&] {
    RunCommands<CellModel>(commands, {.seed = *found.explored.failed,
                                      .turns = found.explored.turns});
  });
  ASSERT_EQ(again.failures.size(), 1u);
  EXPECT_TRUE(absl::StrContains(caught.failures[0], again.failures[0]))
      << caught.failures[0] << again.failures[0];
}

}  // namespace
}  // namespace trolley::testing
