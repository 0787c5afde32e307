// SPDX-License-Identifier: Apache-2.0
//
// StartThread: starts a thread with a name and a set of CPUs, or says why it
// cannot. Containers and services limit the number of threads, so a correct
// program may see such an error.
//
//   absl::StatusOr<std::thread> thread =
//       StartThread("the thread of the log", {.name = "log"}, [] { ... });
//
// A function without state; thread-safe. The caller owns the thread.

#ifndef TROLLEY_BUS_THREAD_START_THREAD_H_
#define TROLLEY_BUS_THREAD_START_THREAD_H_

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trolley::internal {

struct ThreadOptions {
  std::string name = "";       // in tools such as top; at most 15 bytes
  std::vector<int> cpus = {};  // that it may use; empty: those of the caller
};

// Calls `run` on a new thread. `what` names the thread in an error, such as
// "the thread of loop 3".
//
//   ResourceExhausted  no thread is left; the message names the limits
//   InvalidArgument    this process may run on none of `cpus`
absl::StatusOr<std::thread> StartThread(absl::string_view what,
                                        const ThreadOptions& options,
                                        std::function<void()> run);

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_THREAD_START_THREAD_H_
