// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/aggregator.h"

#include "trolley/actors/patterns/internal/option_range.h"

namespace trolley {

absl::Status ValidateAggregatorOptions(const AggregatorOptions& o) {
  using internal::InRange;
  constexpr size_t kMost = AggregatorOptions::kMost;
  constexpr size_t kLeast = 1;
  absl::Status status =
      InRange("AggregatorOptions::groups", o.groups, kLeast, kMost);
  status.Update(InRange("AggregatorOptions::parts", o.parts, kLeast, kMost));
  return status;
}

}  // namespace trolley
