// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/options.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/envelope.h"
#include "trolley/bus/log.h"

namespace trolley {
namespace {

absl::Status Check(absl::string_view field, uint64_t value, uint64_t least,
                   uint64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", value, "; it must be ", least, " to ", most));
}

absl::Status ValidateLoopOptions(const LoopOptions& loop) {
  constexpr uint64_t kAny = UINT32_MAX;
  const absl::Status checks[] = {
      Check("LoopOptions::messages_per_slice", loop.messages_per_slice, 1,
            kAny),
      Check("LoopOptions::messages_per_turn", loop.messages_per_turn, 1, kAny),
      Check("LoopOptions::events_per_wait", loop.events_per_wait, 1,
            LoopOptions::kMostEventsPerWait),
      Check("LoopOptions::max_actors", loop.max_actors, 1,
            LoopOptions::kMostActors),
  };
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  if (loop.spin < absl::ZeroDuration() || loop.spin > absl::Seconds(1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("LoopOptions::spin is ", absl::FormatDuration(loop.spin),
                     "; it must be 0 to 1 s"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateBusOptions(const BusOptions& options) {
  if (options.loops.empty() || options.loops.size() > Envelope::kNoLoop) {
    return absl::InvalidArgumentError(
        absl::StrCat("BusOptions::loops has ", options.loops.size(),
                     " entries; a bus has 1 to 255 loops"));
  }
  for (const LoopOptions& loop : options.loops) {
    if (absl::Status valid = ValidateLoopOptions(loop); !valid.ok()) {
      return valid;
    }
  }
  return BusLog::Check(options.log_limits);
}

}  // namespace trolley
