// SPDX-License-Identifier: Apache-2.0
//
// ServerMemory: the memory of a server and of its children: their resident
// pages and their page tables. A page that n processes share counts for one
// n-th in each. Other memory of the kernel does not count, such as the buffers
// of sockets and the kernel stacks of threads.
//
// Stateless; any thread.

#ifndef TROLLEY_EXAMPLES_ECHO_MODELS_SERVER_MEMORY_H_
#define TROLLEY_EXAMPLES_ECHO_MODELS_SERVER_MEMORY_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/status/statusor.h"

namespace echo {

// In bytes. PermissionDenied: the process belongs to another user, or is gone.
absl::StatusOr<int64_t> ServerMemory(pid_t server);

}  // namespace echo

#endif  // TROLLEY_EXAMPLES_ECHO_MODELS_SERVER_MEMORY_H_
