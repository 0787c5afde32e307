// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/every_options.h"

#include "absl/strings/str_cat.h"

namespace trolley {

absl::Status ValidateEveryOptions(const EveryOptions& options) {
  if (options.period < EveryOptions::kShortestPeriod) {
    return absl::InvalidArgumentError(absl::StrCat(
        "EveryOptions::period is ", absl::FormatDuration(options.period),
        "; it is ", absl::FormatDuration(EveryOptions::kShortestPeriod),
        " at least"));
  }
  if (options.jitter < absl::ZeroDuration() ||
      options.jitter > options.period) {
    return absl::InvalidArgumentError(absl::StrCat(
        "EveryOptions::jitter is ", absl::FormatDuration(options.jitter),
        "; it is 0 to EveryOptions::period, which is ",
        absl::FormatDuration(options.period)));
  }
  return absl::OkStatus();
}

}  // namespace trolley
