// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/retry.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "trolley/actors/context.h"
#include "trolley/actors/patterns/internal/option_range.h"

namespace trolley {
namespace {

constexpr double kMostBudget = 1e6;

}  // namespace

absl::Status ValidateRetryOptions(const RetryOptions& o) {
  using internal::InRange;
  absl::Status status = InRange<uint64_t>("RetryOptions::attempts", o.attempts,
                                          1, RetryOptions::kMostAttempts);
  status.Update(InRange("RetryOptions::growth", o.growth, 1.0, 100.0));
  status.Update(InRange("RetryOptions::jitter", o.jitter, 0.0, 1.0));
  status.Update(InRange("RetryOptions::budget_per_call", o.budget_per_call, 0.0,
                        kMostBudget));
  status.Update(InRange("RetryOptions::budget_at_most", o.budget_at_most, 0.0,
                        kMostBudget));
  return status;
}

Retry::Retry(RetryOptions options)
    : options_(std::move(options)),
      valid_(ValidateRetryOptions(options_)),
      budget_(0) {
  if (valid_.ok()) AddToBudget(options_.budget_at_most);
}

void Retry::AddToBudget(double retries) {
  budget_ = std::min(budget_ + std::llround(retries * kOne),
                     std::llround(options_.budget_at_most * kOne));
}

bool Retry::IsRetriable(const absl::Status& failure) const {
  if (options_.retriable != nullptr) return options_.retriable(failure);
  return failure.code() == absl::StatusCode::kUnavailable ||
         failure.code() == absl::StatusCode::kResourceExhausted;
}

Retry::Attempts::Attempts(Retry& retry)
    : retry_(retry),
      pause_(std::max(retry.options_.first_pause, absl::ZeroDuration())) {
  retry_.AddToBudget(retry_.options_.budget_per_call);
}

Retry::Attempts::~Attempts() {
  // mutant: P23_ARetryThatDoesNotBeginStaysTaken
  if (reserved_) retry_.AddToBudget(1);
}

bool Retry::Attempts::ReserveRetry(const absl::Status& failure) {
  if (!retry_.IsRetriable(failure)) {
    ++retry_.stats_.not_worth;
    return false;
  }
  if (count_ == retry_.options_.attempts) return false;
  if (retry_.budget_ < kOne) {
    ++retry_.stats_.no_budget;
    return false;
  }
  // mutant: P23_ARetryIsNotTakenOutOfTheBudget
  retry_.budget_ -= kOne;
  return reserved_ = true;
}

void Retry::Attempts::BeginRetry() {
  reserved_ = false;
  ++count_;
  ++retry_.stats_.retries;
}

absl::Duration Retry::Attempts::NextPause() {
  const RetryOptions& options = retry_.options_;
  const absl::Duration pause =
      std::min(pause_, std::max(options.longest_pause, absl::ZeroDuration()));
  pause_ = pause * options.growth;
  if (!std::exchange(retry_.seeded_, true)) {
    const ActorContext context = *ActorContext::OfThisThread();
    const uint64_t seed =
        options.jitter_seed != 0
            ? options.jitter_seed
            : context.instance_id() ^
                  static_cast<uint64_t>(context.Now().nanos());
    retry_.random_.seed(static_cast<uint32_t>(seed ^ seed >> 32));
  }
  std::uniform_real_distribution<double> share(0, options.jitter);
  return pause * (1 - (options.jitter > 0 ? share(retry_.random_) : 0));
}

}  // namespace trolley
