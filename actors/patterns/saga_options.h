// SPDX-License-Identifier: Apache-2.0
//
// SagaOptions: the limits of Sagas (actors/patterns/saga.h), and what they tell
// of a saga.
//
//   Sagas sagas_{run, {.sagas = 100, .ended = [](const SagaEnd& end) { ... }}};
//
// Values; any thread.

#ifndef TROLLEY_ACTORS_PATTERNS_SAGA_OPTIONS_H_
#define TROLLEY_ACTORS_PATTERNS_SAGA_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/patterns/retry.h"

namespace trolley {

// A step that could not be undone.
struct SagaStepFailure {
  std::string step;
  absl::Status error;  // of its compensation
};

// A saga that was undone, or tried to be.
struct SagaEnd {
  std::string id;
  std::vector<SagaStepFailure> failures;  // empty: all is undone
};

struct UnfinishedSaga {
  std::string id;
  // The steps that were begun and are not undone, the oldest first.
  std::vector<std::string> steps;
  bool undoing = false;  // false: its handler is not done with it
};

struct SagaOptions {
  static constexpr size_t kMost = size_t{1} << 40;

  // Sagas under way or being undone; a count, 1 to kMost.
  size_t sagas = 1000;
  // Steps of one saga; a count, 1 to kMost.
  size_t steps = 100;
  // How a compensation is tried again. Its budget is that of all sagas. Not
  // set RetryOptions::retriable: after any error. 20 attempts with these pauses
  // take 8 minutes: longer than a restart of a partner.
  RetryOptions undo = {.attempts = 20,
                       .longest_pause = absl::Seconds(30),
                       .budget_per_call = 1000,
                       .budget_at_most = 1e6};
  // Called when the undoing of a saga has ended. It must not throw.
  std::function<void(const SagaEnd&)> ended = nullptr;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateSagaOptions(const SagaOptions& options);

// begun = committed + undone + failed + unfinished.
struct SagaStats {
  uint64_t begun = 0;
  uint64_t committed = 0;
  uint64_t undone = 0;
  uint64_t failed = 0;  // a step could not be undone
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_SAGA_OPTIONS_H_
