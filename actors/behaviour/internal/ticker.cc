// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/internal/ticker.h"

namespace trolley::internal {
namespace {

// The output function of SplitMix64: Steele, Lea and Flood, "Fast Splittable
// Pseudorandom Number Generators", OOPSLA 2014.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// From 0 to less than 1.
double Fraction(uint64_t seed, int64_t number) {
  const uint64_t step = 0x9e3779b97f4a7c15;
  const uint64_t x = Mix(seed + step * static_cast<uint64_t>(number));
  return static_cast<double>(x >> 11) * 0x1p-53;
}

}  // namespace

absl::Status Ticker::Begin(ActorContext context, const EveryOptions& options,
                           uint64_t own_seed) {
  if (absl::Status valid = ValidateEveryOptions(options); !valid.ok()) {
    return valid;
  }
  Stop();
  context_ = context;
  options_ = options;
  seed_ = options.seed != 0 ? options.seed : own_seed;
  start_ = context.Now();
  passed_ = 0;
  told_ = 0;
  Arm();
  return absl::OkStatus();
}

void Ticker::Arm() {
  if (options_.period == absl::InfiniteDuration()) return;
  context_->SetTimer(*this, PointOf(passed_ + 1));
}

Instant Ticker::PointOf(int64_t number) const {
  // mutant: P17_TheFirstTickIsLate
  const int64_t periods = number - (options_.at_start ? 1 : 0);
  return start_ + (periods * options_.period +
                   Fraction(seed_, number) * options_.jitter);
}

int64_t Ticker::LastDue() const {
  const Instant now = context_->Now();
  absl::Duration rest;
  const int64_t last =
      absl::IDivDuration(now - start_, options_.period, &rest) +
      (options_.at_start ? 1 : 0);
  return PointOf(last) <= now ? last : last - 1;
}

void Ticker::OnTimer() {
  // mutant: P17_EachPointThatHasPassedIsATick
  passed_ = LastDue();
  if (tick_.is_free()) {
    const int64_t missed = passed_ - told_ - 1;
    told_ = passed_;
    Tell(static_cast<uint64_t>(passed_), static_cast<uint64_t>(missed),
         tick_.Take());
  }
  Arm();
}

}  // namespace trolley::internal
