// SPDX-License-Identifier: Apache-2.0
//
// TestModel: runs random commands against actors and against a simple model of
// them, and compares. When they differ, it finds the shortest list of commands
// that shows it, and prints that list as a test.
//
//   class CounterModel {
//    public:
//     struct Add {
//       int by;
//       friend std::ostream& operator<<(std::ostream& to, const Add& c) {
//         return to << c.by;
//       }
//     };
//     struct Read {};
//     using Command = std::variant<Add, Read>;
//
//     explicit CounterModel(SimBus& sim)
//         : sim_(sim), counter_(sim.Spawn<Counter>({})) {}
//     Command Generate(Choices& choices) {
//       if (choices.Below(2) == 0) return Read{};
//       return Add{static_cast<int>(choices.Below(10))};
//     }
//     void Apply(const Add& c) {
//       counter_.Tell(c);
//       expected_ += c.by;
//     }
//     void Apply(const Read&) {
//       EXPECT_EQ(*sim_.Ask(counter_, Get{}, absl::Seconds(1)), expected_);
//     }
//    private: ...
//   };
//   TEST(CounterTest, DoesWhatItsModelDoes) { TestModel<CounterModel>(); }
//
// A model has:
//
//   Command                    a std::variant of the commands. One that has
//                              members has an operator<<, as above, which
//                              writes what stands between its braces in C++.
//   Model(SimBus&)             sets up; the SimBus outlives the model
//   Generate(Choices&)         draws a command that is allowed now
//   Apply(const C&)            for each command C: to both, and checks
//   Check()                    may be left out: checks after each command
//   static SimBusOptions       may be left out: for `loops` and `adjust`
//     Options()
//
// Explore() does the work (actors/testing/explore.h), so the turns of the loops
// are drawn too, and a failing run has as few of them as possible.
//
// Ownership: makes a SimBus and a Model for each run.
// Threads:   one, that of the test.
// Bounds:    ModelTestOptions.
// Ends:      after the last seed, or after the first that failed.

#ifndef TROLLEY_ACTORS_TESTING_MODEL_TEST_H_
#define TROLLEY_ACTORS_TESTING_MODEL_TEST_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include "trolley/actors/testing/choices.h"
#include "trolley/actors/testing/explore.h"
#include "trolley/actors/testing/internal/command_text.h"
#include "trolley/actors/testing/internal/model_run.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley::testing {

struct ModelTestOptions {
  ExploreOptions explore = {};
  // Commands of a run; a count. How many it has is drawn.
  uint64_t most_commands = 30;
};

struct TestedModel {
  Explored explored;
  // If a run has failed: the commands of the shortest one, and the test that
  // was printed to standard error.
  std::vector<std::string> commands;
  std::string test;
};

// How RunCommands() gets the run that TestModel() has found.
struct RunCommandsOptions {
  uint64_t seed = 1;
  std::vector<uint64_t> turns = {};  // Explored::turns
  size_t trace_lines = 200;          // printed if it fails; a count
};

// Runs Model with many lists of commands. A run ends at its first failure.
template <typename Model>
TestedModel TestModel(const ModelTestOptions& options = {}) {
  TestedModel tested;
  tested.explored = Explore(options.explore, [&](Choices& choices) {
    tested.commands.clear();
    SimBus sim(internal::OptionsOfModel<Model>(choices));
    Model model(sim);
    choices.Repeat(options.most_commands, [&] {
      const typename Model::Command command = model.Generate(choices);
      tested.commands.push_back(std::visit(
          [](const auto& c) { return internal::CommandText<Model>(c); },
          command));
      sim.Note(tested.commands.back());
      internal::ApplyToModel(model, command);
      return !choices.failed();
    });
  });
  if (!tested.explored.failed.has_value()) {
    tested.commands.clear();
    return tested;
  }
  tested.test =
      internal::CommandTest(typeid(Model), tested.commands,
                            *tested.explored.failed, tested.explored.turns);
  std::fputs(tested.test.c_str(), stderr);
  return tested;
}

// Runs Model with these commands; for a test that TestModel() has printed.
template <typename Model>
void RunCommands(const std::vector<typename Model::Command>& commands,
                 RunCommandsOptions options = {}) {
  Choices choices(options.seed, {.turns = std::move(options.turns)});
  SimBusOptions of_bus = internal::OptionsOfModel<Model>(choices);
  of_bus.trace_lines = options.trace_lines;
  SimBus sim(std::move(of_bus));
  Model model(sim);
  for (const typename Model::Command& command : commands) {
    if (choices.failed()) return;
    internal::ApplyToModel(model, command);
  }
}

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_MODEL_TEST_H_
