// SPDX-License-Identifier: Apache-2.0
//
// Reach: finds out what is at an address when gRPC could not connect, because
// the error texts of gRPC do not say it.
//
//   Reached reached = Reach("/run/bank.sock", absl::Seconds(1));
//
// A function without state; thread-safe. It blocks for at most `limit`.

#ifndef TROLLEY_TOOLS_TROLLEY_REACH_H_
#define TROLLEY_TOOLS_TROLLEY_REACH_H_

#include <string>

#include "absl/time/time.h"

namespace trolley::tools {

struct Reached {
  std::string what;  // what is at the address, or that there is nothing
  std::string hint;  // what to do
};

// Connects to the Unix socket at `path` and reads the first bytes of the other
// side, for at most `limit`. Both texts are empty if it is a gRPC server.
Reached Reach(const std::string& path, absl::Duration limit);

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_REACH_H_
