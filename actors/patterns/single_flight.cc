// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/single_flight.h"

#include "trolley/actors/patterns/internal/option_range.h"

namespace trolley {

absl::Status ValidateSingleFlightOptions(const SingleFlightOptions& o) {
  using internal::InRange;
  constexpr size_t kMost = SingleFlightOptions::kMost;
  absl::Status status =
      InRange("SingleFlightOptions::keys", o.keys, size_t{1}, kMost);
  status.Update(
      InRange("SingleFlightOptions::waiting", o.waiting, size_t{0}, kMost));
  return status;
}

}  // namespace trolley
