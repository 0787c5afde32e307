// SPDX-License-Identifier: Apache-2.0
//
// Every number of the options of the test kit at its extremes: it works, or the
// test that uses it ends with the name of the option.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/testing/choices.h"
#include "trolley/actors/testing/explore.h"
#include "trolley/actors/testing/model_test.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/tests/bus/option_fields.h"

namespace trolley::testing {
namespace {

using ::testing::ScopedFakeTestPartResultReporter;
using ::testing::TestPartResultArray;

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

struct Add {
  int what;
};

class Sum : public Actor {
 public:
  int On(const Add& m) { return sum_ += m.what; }

 private:
  int sum_ = 0;
};

// Asks an actor on each loop. A bus with these options that cannot be ends the
// process.
absl::Status UseSimBus(const SimBusOptions& options) {
  if (options.loops < 1 || options.loops > 255) {
    EXPECT_DEATH(SimBus{options}, "BusOptions::loops .* 1 to 255");
    return absl::InvalidArgumentError("loops");
  }
  SimBus sim(options);
  for (int loop = 0; loop < options.loops; ++loop) {
    const auto sum = sim.Spawn<Sum>({.loop = loop});
    EXPECT_EQ(*sim.Ask(sum, Add{1}, absl::Seconds(1)), 1);
  }
  sim.Note("one");
  sim.Note("two");
  const auto& lines = sim.trace().lines();
  EXPECT_LE(lines.size(), options.trace_lines);
  EXPECT_EQ(lines.empty(), options.trace_lines == 0);
  if (!lines.empty()) {
    EXPECT_TRUE(absl::StrContains(lines.back(), "two")) << lines.back();
  }
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfASimBus) {
  AtExtremes<SimBusOptions>(
      [](SimBusOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, loops, seed, vary_turns, choices, trace_lines,
                       adjust);
      },
      UseSimBus);
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, kMost}) {
    EXPECT_TRUE(UseSimBus({.seed = seed}).ok());
  }
  EXPECT_TRUE(UseSimBus({.loops = 255}).ok());
  EXPECT_FALSE(UseSimBus({.loops = 256}).ok());
}

template <typename Visit>
void VisitExplore(ExploreOptions& o, Visit visit) {
  TROLLEY_FIELDS(o, visit, runs, most_shrinks, trace_lines);
}

// Explores, with a body that fails in about one of two runs. What it reports is
// no failure of this test.
absl::Status UseExplore(const ExploreOptions& options) {
  TestPartResultArray reported;
  Explored explored;
  {
    ScopedFakeTestPartResultReporter catcher(
        ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD,
        &reported);
    explored = Explore(options, [](Choices& choices) {
      SimBus sim({.choices = &choices});
      const auto sum = sim.Spawn<Sum>({});
      choices.Repeat(20, [&] {
        sum.Tell(Add{static_cast<int>(choices.Below(10))});
        return true;
      });
      EXPECT_LT(*sim.Ask(sum, Add{0}, absl::Seconds(1)), 40);
    });
  }
  EXPECT_LE(explored.seeds, options.runs);
  if (options.runs == 1) return absl::OkStatus();  // that seed may be well
  // Without a seed the test fails, too: it tests nothing.
  EXPECT_GT(reported.size(), 0);
  if (options.runs == 0) return absl::OkStatus();
  EXPECT_TRUE(explored.failed.has_value());
  EXPECT_LE(explored.shrinks, options.most_shrinks);
  EXPECT_EQ(explored.shrinks == 0, options.most_shrinks == 0);
  EXPECT_EQ(absl::StrContains(explored.text, "spawn"), options.trace_lines > 1)
      << explored.text;
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfExplore) {
  AtExtremes<ExploreOptions>(
      [](ExploreOptions& o, auto visit) { VisitExplore(o, visit); },
      UseExplore);
}

// A model whose second command in a run fails.
class Fragile {
 public:
  struct Touch {};
  using Command = std::variant<Touch>;

  explicit Fragile(SimBus& sim) : sim_(sim), sum_(sim.Spawn<Sum>({})) {}
  Command Generate(Choices&) { return Touch{}; }
  void Apply(const Touch&) {
    EXPECT_LT(*sim_.Ask(sum_, Add{1}, absl::Seconds(1)), 2);
  }

 private:
  SimBus& sim_;
  const Ref<Sum> sum_;
};

absl::Status UseTestModel(const ModelTestOptions& options) {
  TestPartResultArray reported;
  TestedModel tested;
  {
    ScopedFakeTestPartResultReporter catcher(
        ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD,
        &reported);
    tested = TestModel<Fragile>(options);
  }
  if (options.explore.runs <= 1) return absl::OkStatus();  // none may fail
  // It fails if a run may have two commands.
  EXPECT_EQ(tested.explored.failed.has_value(), options.most_commands >= 2);
  if (tested.explored.failed.has_value()) {
    EXPECT_GE(tested.commands.size(), 2u);
  }
  return absl::OkStatus();
}

TEST(OptionsTest, EveryNumberOfAModelTest) {
  AtExtremes<ModelTestOptions>(
      [](ModelTestOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, explore, most_commands);
        VisitExplore(explore, visit);
      },
      UseTestModel);
}

// A model of which all is well.
class Robust {
 public:
  struct Touch {};
  using Command = std::variant<Touch>;

  explicit Robust(SimBus& sim) : sim_(sim), sum_(sim.Spawn<Sum>({})) {}
  Command Generate(Choices&) { return Touch{}; }
  void Apply(const Touch&) {
    EXPECT_EQ(*sim_.Ask(sum_, Add{1}, absl::Seconds(1)), ++touched_);
    last_ = touched_;
    trace_lines_ = sim_.trace().lines().size();
  }

  static int last() { return last_; }
  static size_t trace_lines() { return trace_lines_; }

 private:
  static int last_;
  static size_t trace_lines_;
  SimBus& sim_;
  const Ref<Sum> sum_;
  int touched_ = 0;
};
int Robust::last_ = 0;
size_t Robust::trace_lines_ = 0;

TEST(OptionsTest, EveryNumberOfARunOfCommands) {
  AtExtremes<RunCommandsOptions>(
      [](RunCommandsOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, seed, turns, trace_lines);
      },
      [](const RunCommandsOptions& options) {
        RunCommands<Robust>(std::vector<Robust::Command>(3), options);
        EXPECT_EQ(Robust::last(), 3);
        EXPECT_LE(Robust::trace_lines(), options.trace_lines);
        EXPECT_EQ(Robust::trace_lines() == 0, options.trace_lines == 0);
        return absl::OkStatus();
      });
  // Draws that are too large count as the largest.
  RunCommands<Robust>(std::vector<Robust::Command>(3),
                      {.turns = std::vector<uint64_t>(100, kMost)});
  EXPECT_EQ(Robust::last(), 3);
}

}  // namespace
}  // namespace trolley::testing
