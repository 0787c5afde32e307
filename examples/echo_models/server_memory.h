// SPDX-License-Identifier: Apache-2.0
//
// How much memory a server uses, its children included: what is resident, a
// page that n processes share counting for one n-th in each, and page tables.
// Not counted: what the kernel keeps for it otherwise, such as socket buffers
// and the stacks of threads within the kernel.
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
