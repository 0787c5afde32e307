// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/remote_topics/remote_topics_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace trolley {
namespace {

absl::Status InRange(absl::string_view field, uint32_t value, uint32_t most) {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", value, "; it must be 1 to ", most));
}

absl::Status Positive(absl::string_view field, absl::Duration time) {
  if (time > absl::ZeroDuration()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      field, " is ", absl::FormatDuration(time), "; it is above 0"));
}

}  // namespace

absl::Status ValidateTopicExportOptions(const TopicExportOptions& options) {
  absl::Status status =
      InRange("TopicExportOptions::max_sessions", options.max_sessions,
              TopicExportOptions::kMostSessions);
  status.Update(InRange("TopicExportOptions::max_waiting", options.max_waiting,
                        TopicExportOptions::kMostWaiting));
  status.Update(InRange("TopicExportOptions::max_waiting_bytes",
                        options.max_waiting_bytes,
                        TopicExportOptions::kMostBytes));
  status.Update(Positive("TopicExportOptions::keep", options.keep));
  return status;
}

absl::Status ValidateTopicImportOptions(const TopicImportOptions& options) {
  absl::Status status =
      InRange("TopicImportOptions::batch_bytes", options.batch_bytes,
              TopicImportOptions::kMostBatchBytes);
  status.Update(Positive("TopicImportOptions::pause", options.pause));
  return status;
}

}  // namespace trolley
