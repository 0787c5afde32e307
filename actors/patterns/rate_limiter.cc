// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/rate_limiter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/context.h"
#include "trolley/actors/patterns/internal/option_range.h"
#include "trolley/actors/patterns/internal/pause.h"

namespace trolley {
namespace {

absl::Duration StepOf(const RateLimiterOptions& o) {
  if (o.per <= absl::ZeroDuration() || o.permits == 0) {
    return absl::ZeroDuration();
  }
  return absl::Ceil(o.per / o.permits, absl::Nanoseconds(1));
}

}  // namespace

absl::Status ValidateRateLimiterOptions(const RateLimiterOptions& o) {
  using internal::InRange;
  constexpr uint32_t kMost = RateLimiterOptions::kMost;
  absl::Status status =
      InRange("RateLimiterOptions::permits", o.permits, 1u, kMost);
  status.Update(InRange("RateLimiterOptions::burst", o.burst, 1u, kMost));
  status.Update(InRange("RateLimiterOptions::waiting", o.waiting, 0u, kMost));
  if (o.per > RateLimiterOptions::kLongest) {
    status.Update(absl::InvalidArgumentError(
        absl::StrCat("RateLimiterOptions::per is ", absl::FormatDuration(o.per),
                     "; it is at most ",
                     absl::FormatDuration(RateLimiterOptions::kLongest))));
  }
  return status;
}

RateLimiter::RateLimiter(RateLimiterOptions options)
    : options_(options),
      valid_(ValidateRateLimiterOptions(options_)),
      step_(StepOf(options_)),
      ahead_(step_ * (std::max(options_.burst, 1u) - 1)) {}

bool RateLimiter::Take() {
  const Instant now = internal::Now();
  if (next_ + -ahead_ > now) return false;
  // mutant: P23_ARestFillsMoreThanTheBurst
  next_ = std::max(next_, now) + step_;
  return true;
}

void RateLimiter::GiveBack() {
  next_ = next_ + -step_;
  Arm();
}

void RateLimiter::Arm() {
  if (line_.empty()) return;
  ActorContext::OfThisThread()->SetTimer(*this, next_ + -ahead_);
}

void RateLimiter::OnTimer() {
  while (!line_.empty() && Take()) line_.GiveToFirst();
  Arm();
}

absl::Status RateLimiter::TryAcquire() {
  internal::CountedCall call(stats_);
  if (!valid_.ok()) return call.End(stats_.refused, valid_);
  if (line_.empty() && Take()) {
    return call.End(stats_.permitted, absl::OkStatus());
  }
  return call.End(stats_.refused, NoPermit("and the call does not wait"));
}

Task<absl::Status> RateLimiter::Acquire() {
  internal::CountedCall call(stats_);
  if (!valid_.ok()) co_return call.End(stats_.refused, valid_);
  // mutant: P23_ANewcomerPassesTheLine
  if (line_.empty() && Take()) {
    co_return call.End(stats_.permitted, absl::OkStatus());
  }
  if (line_.size() >= options_.waiting) {
    co_return call.End(
        stats_.refused,
        NoPermit(absl::StrCat("and RateLimiterOptions::waiting = ",
                              options_.waiting, " calls wait for one")));
  }
  Permit permit(*this);
  permit.place.Join(line_);
  Arm();
  co_await permit.place.Wait(internal::Now() + options_.longest_wait);
  if (!permit.place.given()) {
    co_return call.End(
        stats_.timed_out,
        NoPermit(absl::StrCat("for RateLimiterOptions::longest_wait = ",
                              absl::FormatDuration(options_.longest_wait))));
  }
  permit.used = true;
  co_return call.End(stats_.permitted, absl::OkStatus());
}

absl::Status RateLimiter::NoPermit(absl::string_view why) const {
  return absl::ResourceExhaustedError(
      absl::StrCat("the rate limiter has no permit, of ", options_.permits,
                   " in ", absl::FormatDuration(options_.per), ", ", why));
}

}  // namespace trolley
