// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/circuit_breaker.h"

#include "absl/strings/str_cat.h"
#include "trolley/actors/patterns/internal/failures.h"
#include "trolley/actors/patterns/internal/option_range.h"
#include "trolley/actors/patterns/internal/pause.h"

namespace trolley {

absl::Status ValidateCircuitBreakerOptions(const CircuitBreakerOptions& o) {
  using internal::InRange;
  constexpr uint32_t kMost = CircuitBreakerOptions::kMost;
  absl::Status status =
      InRange("CircuitBreakerOptions::failures", o.failures, 1u, kMost);
  status.Update(InRange("CircuitBreakerOptions::probes", o.probes, 1u, kMost));
  return status;
}

CircuitBreaker::CircuitBreaker(CircuitBreakerOptions options)
    : options_(std::move(options)),
      valid_(ValidateCircuitBreakerOptions(options_)) {}

bool CircuitBreaker::End(Running& running, const absl::Status& result) {
  const bool failed = IsFailure(result);
  running.ended = true;
  // mutant: P23_ACallOfAnEarlierStateCounts
  if (running.epoch != epoch_) return failed;
  failed ? Failed(result) : Succeeded();
  return failed;
}

bool CircuitBreaker::IsFailure(const absl::Status& result) const {
  if (options_.is_failure != nullptr) return options_.is_failure(result);
  switch (result.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

absl::Status CircuitBreaker::Admit() {
  if (!valid_.ok()) return valid_;
  if (state_ == State::kClosed) return absl::OkStatus();
  const Instant now = internal::Now();
  if (probing_) {
    if (now < until_) return Refusal();
    Failed(absl::DeadlineExceededError("a probe took too long"));
  }
  if (state_ == State::kOpen) {
    if (now < until_) return Refusal();
    Enter(State::kHalfOpen);
  }
  ++epoch_;
  // mutant: P23_EachCallIsAProbe
  probing_ = true;
  until_ = now + options_.longest_probe;
  return absl::OkStatus();
}

absl::Status CircuitBreaker::Refusal() const {
  return absl::UnavailableError(absl::StrCat(
      "the circuit breaker ",
      state_ == State::kOpen ? "is open for another "
                             : "waits for its probe for at most another ",
      absl::FormatDuration(until_ - internal::Now()),
      "; the last failure: ", last_failure_));
}

void CircuitBreaker::Succeeded() {
  if (state_ == State::kClosed) {
    // mutant: P23_ASuccessLeavesTheRowOfFailures
    in_a_row_ = 0;
    return;
  }
  probing_ = false;
  if (++in_a_row_ >= options_.probes) Enter(State::kClosed);
}

void CircuitBreaker::Failed(const absl::Status& why) {
  last_failure_ = internal::Brief(why);
  if (state_ == State::kClosed && ++in_a_row_ < options_.failures) return;
  Enter(State::kOpen);
  until_ = internal::Now() + options_.open_for;
  ++stats_.opened;
}

void CircuitBreaker::Enter(State state) {
  state_ = state;
  ++epoch_;
  in_a_row_ = 0;
  probing_ = false;
}

}  // namespace trolley
