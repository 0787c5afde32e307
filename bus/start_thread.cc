// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/start_thread.h"

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace trolley {

absl::StatusOr<std::thread> StartThread(absl::string_view what,
                                        std::function<void()> run) {
  try {
    return std::thread(std::move(run));
  } catch (const std::system_error& refused) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "cannot start ", what, ": ", refused.code().message(),
        "; raise the limit of threads: of the user (ulimit -u), of the "
        "container or service (pids.max, TasksMax), or of the machine "
        "(/proc/sys/kernel/threads-max); or its stack finds no memory "
        "(ulimit -v)"));
  }
}

}  // namespace trolley
