// SPDX-License-Identifier: Apache-2.0
//
// Reach: what is at an address, for when gRPC could not talk to it and says so
// in words of its own.
//
// A function without state, thread-safe; it waits.

#ifndef TROLLEY_TOOLS_TROLLEY_REACH_H_
#define TROLLEY_TOOLS_TROLLEY_REACH_H_

#include <string>

#include "absl/time/time.h"

namespace trolley::tools {

struct Reached {
  std::string what;  // what is there, or is not
  std::string hint;  // the way out
};

// Connects to the Unix socket at `path`, and listens for at most `limit` to
// what the other side says. Both texts are empty if it speaks as a gRPC server.
Reached Reach(const std::string& path, absl::Duration limit);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_REACH_H_
