// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/topics/topics_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace trolley {
namespace {

absl::Status InRange(absl::string_view field, uint32_t value, uint32_t least,
                     uint32_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("TopicsOptions::", field,
                                                 " is ", value, "; it is ",
                                                 least, " to ", most));
}

}  // namespace

absl::Status ValidateTopicsOptions(const TopicsOptions& options) {
  absl::Status status = InRange("max_subscriptions", options.max_subscriptions,
                                1, TopicsOptions::kMostSubscriptions);
  status.Update(
      InRange("max_names", options.max_names, 1, TopicsOptions::kMostNames));
  status.Update(InRange("kept_per_name", options.kept_per_name, 0,
                        TopicsOptions::kMostKeptPerName));
  return status;
}

}  // namespace trolley
