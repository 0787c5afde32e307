// SPDX-License-Identifier: Apache-2.0
//
// StandardStreams: keeps gRPC from the descriptor numbers 0 to 2. gRPC makes
// descriptors without Sys. If the program has closed its standard output, one
// of them would be number 1, and the output of the program would go into it.
//
// So this opens a descriptor at each number of 0 to 2 that is closed. A read()
// or write() on it fails with EBADF, as before.
//
// gRPC makes one eventfd before main() runs. This cannot prevent that one.
//
// Ownership: owns its descriptors; the Sys outlives it.
// Threads:   one at a time.
// Bounds:    three descriptors, close-on-exec.
// Ends:      the destructor closes its descriptors, except those that the
//            program has replaced since.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_STANDARD_STREAMS_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_STANDARD_STREAMS_H_

#include <vector>

#include "trolley/poller/sys.h"

namespace trolley::internal {

class StandardStreams {
 public:
  // Opens them. If no descriptor is left, it opens fewer.
  explicit StandardStreams(Sys& sys);
  ~StandardStreams();
  StandardStreams(const StandardStreams&) = delete;
  StandardStreams& operator=(const StandardStreams&) = delete;

 private:
  Sys& sys_;
  std::vector<int> held_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_STANDARD_STREAMS_H_
