// SPDX-License-Identifier: Apache-2.0
//
// What TestModel() and RunCommands() do with a model
// (actors/testing/model_test.h).
//
// Ownership: functions; they keep nothing.
// Threads:   one, that of the test.
// Bounds:    none.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_TESTING_INTERNAL_MODEL_RUN_H_
#define TROLLEY_ACTORS_TESTING_INTERNAL_MODEL_RUN_H_

#include <variant>

#include "trolley/actors/testing/choices.h"
#include "trolley/actors/testing/sim_bus.h"

namespace trolley::internal {

template <typename Model>
testing::SimBusOptions OptionsOfModel(testing::Choices& choices) {
  testing::SimBusOptions options;
  if constexpr (requires { Model::Options(); }) options = Model::Options();
  options.choices = &choices;
  return options;
}

template <typename Model>
void ApplyToModel(Model& model, const typename Model::Command& command) {
  std::visit([&](const auto& c) { model.Apply(c); }, command);
  if constexpr (requires { model.Check(); }) model.Check();
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TESTING_INTERNAL_MODEL_RUN_H_
