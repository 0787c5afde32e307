// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pools/pool_options.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trolley/bus/options.h"

namespace trolley {
namespace {

absl::Status InRange(absl::string_view field, uint64_t value, uint64_t least,
                     uint64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "PoolOptions::", field, " is ", value, "; it is ", least, " to ", most));
}

}  // namespace

absl::Status ValidatePoolOptions(const PoolOptions& options) {
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  absl::Status status =
      InRange("workers", options.workers, 0, PoolOptions::kMostWorkers);
  status.Update(InRange("worker_mailbox", options.worker_mailbox, 1,
                        SpawnOptions::kMostMailboxCapacity));
  status.Update(InRange("worker_mailbox_bytes", options.worker_mailbox_bytes, 0,
                        SpawnOptions::kMostMailboxBytes));
  status.Update(InRange("max_asks", options.max_asks, 1, kMost));
  status.Update(InRange("max_restarts", options.max_restarts, 0,
                        PoolOptions::kMostRestarts));
  return status;
}

}  // namespace trolley
