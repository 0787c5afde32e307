// SPDX-License-Identifier: Apache-2.0
//
// StartThread: a thread, or the reason why the machine refuses one. Containers
// and services have limits on threads, so this happens to programs that work.
//
// A function without state, thread-safe. The caller owns the thread.

#ifndef TROLLEY_BUS_START_THREAD_H_
#define TROLLEY_BUS_START_THREAD_H_

#include <functional>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trolley {

// Runs `run` on a thread of its own. `what` names the thread in the error, such
// as "the thread of loop 3".
// ResourceExhausted: no thread is to be had; the text names the limits.
absl::StatusOr<std::thread> StartThread(absl::string_view what,
                                        std::function<void()> run);

}  // namespace trolley

#endif  // TROLLEY_BUS_START_THREAD_H_
