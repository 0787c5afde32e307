// SPDX-License-Identifier: Apache-2.0
//
// ForbidCalls: makes the kernel refuse some system calls, as a container with a
// seccomp filter does. It cannot be undone. So use it only in a process of its
// own: a child of the test, or the program `forbid`.
//
// Threads: the calling thread, and the threads and processes that it starts
//          afterwards.
// Bounds:  kMostForbidden calls.

#ifndef TROLLEY_TESTS_POLLER_FORBID_CALLS_H_
#define TROLLEY_TESTS_POLLER_FORBID_CALLS_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace trolley {

inline constexpr size_t kMostForbidden = 64;

// From now on each of `calls` (numbers, __NR_...) fails with `error` and does
// nothing. FailedPrecondition: this machine allows no filter.
absl::Status ForbidCalls(const std::vector<int>& calls, int error);

// The calls that a poller of the bus cannot do without: "io_uring", "epoll".
// Nothing: no such family.
std::optional<std::vector<int>> CallsOf(std::string_view poller);

}  // namespace trolley

#endif  // TROLLEY_TESTS_POLLER_FORBID_CALLS_H_
