// SPDX-License-Identifier: Apache-2.0
//
// TakeVariable: reads a variable of the environment, and removes it.
//
// Threads: main, before it starts threads.

#ifndef TROLLEY_ACTORS_SYSTEMD_INTERNAL_ENVIRONMENT_H_
#define TROLLEY_ACTORS_SYSTEMD_INTERNAL_ENVIRONMENT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trolley::internal {

// Empty: it is not set.
std::string TakeVariable(const char* name);

// `text` as a number from `least` to `most`. InvalidArgument: it is none; the
// text has the name of the variable, and its value made printable.
absl::StatusOr<int64_t> NumberIn(absl::string_view variable,
                                 absl::string_view text, int64_t least,
                                 int64_t most);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_SYSTEMD_INTERNAL_ENVIRONMENT_H_
