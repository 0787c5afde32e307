// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/bulkhead.h"

#include "absl/strings/str_cat.h"
#include "trolley/actors/patterns/internal/option_range.h"

namespace trolley {

absl::Status ValidateBulkheadOptions(const BulkheadOptions& o) {
  using internal::InRange;
  constexpr uint32_t kMost = BulkheadOptions::kMost;
  absl::Status status =
      InRange("BulkheadOptions::at_once", o.at_once, 1u, kMost);
  status.Update(InRange("BulkheadOptions::waiting", o.waiting, 0u, kMost));
  return status;
}

Bulkhead::Bulkhead(BulkheadOptions options)
    : options_(options), valid_(ValidateBulkheadOptions(options_)) {}

absl::Status Bulkhead::Enter(Slot& slot) {
  if (!valid_.ok()) return valid_;
  if (running_ < options_.at_once) {
    ++running_;
    slot.taken_at_once = true;
    return absl::OkStatus();
  }
  // mutant: P23_TheLineHasNoLimit
  if (line_.size() >= options_.waiting) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the bulkhead runs BulkheadOptions::at_once = ", options_.at_once,
        " calls, and BulkheadOptions::waiting = ", options_.waiting,
        " wait for a slot"));
  }
  slot.place.Join(line_);
  return absl::OkStatus();
}

// The slot of the first one in the line stays taken.
void Bulkhead::Release() {
  // mutant: P23_NobodyInTheLineGetsASlot
  if (!line_.GiveToFirst()) --running_;
}

absl::Status Bulkhead::TimedOut() const {
  return absl::ResourceExhaustedError(absl::StrCat(
      "the bulkhead had no slot for BulkheadOptions::longest_wait = ",
      absl::FormatDuration(options_.longest_wait)));
}

}  // namespace trolley
