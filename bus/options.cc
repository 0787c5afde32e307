// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/options.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/message/envelope.h"
#include "trolley/poller/printable.h"

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
  if (loop.thread_name.size() > 15 ||
      loop.thread_name.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "LoopOptions::thread_name is \"", Printable(loop.thread_name, 64),
        "\"; it must be 15 bytes at most, and no zero among them"));
  }
  for (const int cpu : loop.cpus) {
    if (cpu >= 0 && cpu <= LoopOptions::kHighestCpu) continue;
    return absl::InvalidArgumentError(absl::StrCat("LoopOptions::cpus has ",
                                                   cpu, "; CPUs are 0 to ",
                                                   LoopOptions::kHighestCpu));
  }
  return absl::OkStatus();
}

absl::Status ValidateLogOptions(const LogOptions& options) {
  const auto bad = [](absl::string_view field, absl::string_view rule) {
    return absl::InvalidArgumentError(
        absl::StrCat("LogOptions::", field, " must be ", rule));
  };
  if (options.lines_at_once == 0) return bad("lines_at_once", "1 at least");
  if (options.max_sources == 0) return bad("max_sources", "1 at least");
  if (options.max_waiting_lines == 0) {
    return bad("max_waiting_lines", "1 at least");
  }
  if (options.max_waiting_bytes < LogOptions::kMostLineBytes) {
    return bad("max_waiting_bytes",
               absl::StrCat(LogOptions::kMostLineBytes, " at least, one line"));
  }
  for (const auto& [field, length] :
       {std::pair{"interval", options.interval},
        std::pair{"patience", options.patience}}) {
    if (length < absl::ZeroDuration() || length > absl::Hours(24)) {
      return bad(field, absl::StrCat("within 0 and 24 h; it is ",
                                     absl::FormatDuration(length)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateActorName(absl::string_view name) {
  constexpr size_t kMostBytes = SpawnOptions::kMostNameBytes;
  const auto allowed = [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' ||
           c == '.' || c == '/' || c == '-';
  };
  if (!name.empty() && name.size() <= kMostBytes &&
      std::all_of(name.begin(), name.end(), allowed)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "not an actor name (1 to ", kMostBytes, " of a-z 0-9 _ . / -): \"",
      Printable(name, kMostBytes), "\""));
}

absl::Status ValidateMailbox(const SpawnOptions& options) {
  absl::Status status =
      Check("SpawnOptions::mailbox_capacity", options.mailbox_capacity, 1,
            SpawnOptions::kMostMailboxCapacity);
  if (!status.ok()) return status;
  status = Check(
      "SpawnOptions::urgent_reserve", options.urgent_reserve, 0,
      std::min(options.mailbox_capacity - 1, SpawnOptions::kMostUrgentReserve));
  if (!status.ok()) return status;
  status = Check("SpawnOptions::mailbox_bytes", options.mailbox_bytes, 0,
                 SpawnOptions::kMostMailboxBytes);
  if (status.ok() && options.overflow > Overflow::kDropOldest) {
    return absl::InvalidArgumentError(absl::StrCat(
        "SpawnOptions::overflow is ", static_cast<int>(options.overflow),
        "; it is kRefuse or kDropOldest"));
  }
  return status;
}

absl::Status ValidateBusOptions(const BusOptions& options) {
  if (options.loops.empty() ||
      options.loops.size() > internal::Envelope::kNoLoop) {
    return absl::InvalidArgumentError(
        absl::StrCat("BusOptions::loops has ", options.loops.size(),
                     " entries; a bus has 1 to 255 loops"));
  }
  for (const LoopOptions& loop : options.loops) {
    if (absl::Status valid = ValidateLoopOptions(loop); !valid.ok()) {
      return valid;
    }
  }
  return ValidateLogOptions(options.log_limits);
}

}  // namespace trolley
