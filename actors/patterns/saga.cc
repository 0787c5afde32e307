// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/saga.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/context.h"
#include "trolley/actors/patterns/internal/failures.h"
#include "trolley/actors/patterns/internal/option_range.h"
#include "trolley/actors/patterns/internal/pause.h"

namespace trolley {
namespace {

RetryOptions UndoOptions(RetryOptions options) {
  if (options.retriable == nullptr) {
    options.retriable = [](const absl::Status&) { return true; };
  }
  return options;
}

absl::Status HasEnded() {
  return absl::FailedPreconditionError(
      "the saga has ended: it was committed or undone");
}

}  // namespace

absl::Status ValidateSagaOptions(const SagaOptions& o) {
  using internal::InRange;
  constexpr size_t kMost = SagaOptions::kMost;
  absl::Status status =
      InRange("SagaOptions::sagas", o.sagas, size_t{1}, kMost);
  status.Update(InRange("SagaOptions::steps", o.steps, size_t{1}, kMost));
  if (absl::Status undo = ValidateRetryOptions(o.undo); !undo.ok()) {
    status.Update(absl::InvalidArgumentError(
        absl::StrCat("SagaOptions::undo: ", undo.message())));
  }
  return status;
}

// --- One saga --------------------------------------------------------------

Saga::~Saga() {
  // mutant: P23_ASagaThatIsLetGoHolds
  if (record_ != nullptr) sagas_->BeginUndo(record_);
}

absl::Status Saga::MayBegin() const {
  if (record_ == nullptr) return HasEnded();
  if (record_->failed) {
    return absl::FailedPreconditionError(
        "a step of this saga has failed; undo it, by Undo() or by returning");
  }
  if (record_->steps.size() >= sagas_->options_.steps) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the saga has SagaOptions::steps = ", sagas_->options_.steps,
        " steps"));
  }
  return absl::OkStatus();
}

absl::Status Saga::Commit() {
  if (record_ == nullptr) return HasEnded();
  if (record_->failed) {
    return absl::FailedPreconditionError(
        "a step of this saga has failed, so it is undone and not committed");
  }
  sagas_->Committed(std::exchange(record_, nullptr));
  return absl::OkStatus();
}

Task<absl::Status> Saga::Undo(absl::Status why) {
  if (record_ == nullptr) co_return HasEnded();
  const RecordPtr record = std::exchange(record_, nullptr);
  internal::WaitingLine::Place place;
  place.Join(record->undone);
  sagas_->BeginUndo(record);
  if (!record->ended) co_await place.Wait();
  if (record->end.failures.empty()) co_return why;
  const SagaStepFailure& first = record->end.failures.front();
  co_return absl::Status(
      why.code(),
      absl::StrCat(
          why.message(), "; step ", first.step,
          " could not be undone: ", internal::Brief(first.error),
          record->end.failures.size() > 1 ? "; nor could others" : ""));
}

// --- All sagas -------------------------------------------------------------

Sagas::Sagas(RunInBackground run, SagaOptions options)
    : run_(std::move(run)),
      options_(std::move(options)),
      valid_(ValidateSagaOptions(options_)),
      undo_(UndoOptions(options_.undo)) {}

absl::StatusOr<Saga> Sagas::Begin(absl::string_view id) {
  if (!valid_.ok()) return valid_;
  if (records_.size() >= options_.sagas) {
    return absl::ResourceExhaustedError(
        absl::StrCat("SagaOptions::sagas = ", options_.sagas,
                     " sagas are under way or are being undone"));
  }
  ++stats_.begun;
  auto record = std::make_shared<internal::SagaRecord>();
  record->id = std::string(id);
  records_.push_back(record);
  return Saga(*this, std::move(record));
}

std::vector<UnfinishedSaga> Sagas::Unfinished() const {
  std::vector<UnfinishedSaga> all;
  for (const RecordPtr& record : records_) {
    UnfinishedSaga& one = all.emplace_back();
    one.id = record->id;
    one.undoing = record->undoing;
    for (const internal::SagaStep& step : record->steps) {
      one.steps.push_back(step.name);
    }
  }
  return all;
}

void Sagas::Committed(const RecordPtr& record) {
  ++stats_.committed;
  Remove(record);
}

void Sagas::Remove(const RecordPtr& record) {
  records_.erase(std::find(records_.begin(), records_.end(), record));
}

void Sagas::BeginUndo(const RecordPtr& record) {
  record->undoing = true;
  run_(UndoAll(record));
}

// Begins after the handler that lets the saga go. So if the actor ends, nothing
// more is sent.
Task<absl::Status> Sagas::UndoAll(RecordPtr record) {
  // mutant: P23_AnActorThatEndsUndoesAStep
  co_await internal::PauseFor(absl::ZeroDuration());
  record->end.id = record->id;
  // mutant: P23_TheFirstStepIsUndoneFirst
  while (!record->steps.empty()) {
    internal::SagaStep& step = record->steps.back();
    absl::Status undone = co_await undo_.Run(std::ref(step.undo));
    if (!undone.ok()) {
      ActorContext::OfThisThread()->Log(
          absl::StrCat("saga ", record->id, ": step ", step.name,
                       " could not be undone: ", internal::Brief(undone)));
      record->end.failures.push_back({step.name, std::move(undone)});
    }
    record->steps.pop_back();
  }
  ++(record->end.failures.empty() ? stats_.undone : stats_.failed);
  record->ended = true;
  Remove(record);
  while (record->undone.GiveToFirst()) {
  }
  if (options_.ended != nullptr) options_.ended(record->end);
  co_return absl::OkStatus();
}

}  // namespace trolley
