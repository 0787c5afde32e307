// SPDX-License-Identifier: Apache-2.0
//
// SagaRecord: what is kept of a saga: its steps, each with its compensation.
//
//   record.steps.emplace_back("room", [this] { return Release(); });
//   absl::Status undone = co_await record.steps.back().undo();
//
// Ownership: shared by the Saga, the Sagas and the task that undoes it.
// Threads:   loop thread only.
// Bounds:    SagaOptions::steps.

#ifndef TROLLEY_ACTORS_PATTERNS_INTERNAL_SAGA_RECORD_H_
#define TROLLEY_ACTORS_PATTERNS_INTERNAL_SAGA_RECORD_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/waiting_line.h"
#include "trolley/actors/patterns/saga_options.h"
#include "trolley/actors/task.h"

namespace trolley::internal {

struct SagaStep {
  template <typename U>
  SagaStep(std::string step, U compensation)
      : name(std::move(step)), undo([work = std::move(compensation)]() mutable {
          return Undo(work);
        }) {}

  // `work` lives in the SagaStep, and so longer than this task.
  template <typename U>
  static Task<absl::Status> Undo(U& work) {
    auto operation = work();
    auto result = co_await AwaitNamed(operation);
    co_return StatusOf(result);
  }

  std::string name;
  absl::AnyInvocable<Task<absl::Status>()> undo;
};

struct SagaRecord {
  std::string id;
  std::vector<SagaStep> steps;  // begun and not undone, the oldest first
  bool failed = false;          // a step has
  bool undoing = false;
  SagaEnd end;
  WaitingLine undone;  // those that wait for the end of the undoing
  bool ended = false;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PATTERNS_INTERNAL_SAGA_RECORD_H_
