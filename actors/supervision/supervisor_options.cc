// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/supervision/supervisor_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace trolley {
namespace {

template <typename T>
absl::Status InRange(absl::string_view field, T value, T least, T most) {
  // Also false for a NaN.
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("SupervisorOptions::", field,
                                                 " is ", value, "; it is ",
                                                 least, " to ", most));
}

}  // namespace

absl::Status ValidateSupervisorOptions(const SupervisorOptions& options) {
  using Options = SupervisorOptions;
  absl::Status status = InRange<uint32_t>("max_restarts", options.max_restarts,
                                          0, Options::kMostRestarts);
  status.Update(InRange<uint32_t>("max_children", options.max_children, 1,
                                  Options::kMostChildren));
  status.Update(InRange<double>("backoff.factor", options.backoff.factor, 1,
                                Backoff::kMostFactor));
  status.Update(
      InRange<double>("backoff.jitter", options.backoff.jitter, 0, 1));
  if (options.strategy > Strategy::kRestForOne) {
    status.Update(absl::InvalidArgumentError(absl::StrCat(
        "SupervisorOptions::strategy is ", static_cast<int>(options.strategy),
        "; it is kOneForOne, kOneForAll or kRestForOne")));
  }
  return status;
}

}  // namespace trolley
