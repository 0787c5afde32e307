// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/blocking_options.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace trolley {
namespace {

absl::Status OutOfRange(const char* field, int64_t value, int64_t most) {
  return absl::InvalidArgumentError(absl::StrCat(
      "BlockingPoolOptions::", field, " is ", value, "; it is 0 to ", most));
}

}  // namespace

absl::Status ValidateBlockingPoolOptions(const BlockingPoolOptions& options) {
  constexpr size_t kMostNameBytes = 15;
  if (options.threads < 0 ||
      options.threads > BlockingPoolOptions::kMostThreads) {
    return OutOfRange("threads", options.threads,
                      BlockingPoolOptions::kMostThreads);
  }
  if (options.max_waiting > BlockingPoolOptions::kMostWaiting) {
    return OutOfRange("max_waiting", options.max_waiting,
                      BlockingPoolOptions::kMostWaiting);
  }
  if (options.thread_name.size() > kMostNameBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "BlockingPoolOptions::thread_name has ", options.thread_name.size(),
        " bytes; it has ", kMostNameBytes, " at most"));
  }
  return absl::OkStatus();
}

}  // namespace trolley
