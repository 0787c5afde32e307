// SPDX-License-Identifier: Apache-2.0
//
// StandardPlaces: keeps the numbers 0 to 2 from gRPC, which makes descriptors
// of its own, past Sys. In a process that has closed its standard output one of
// them would be number 1, and what the program prints would go into it.
//
// (It makes one eventfd when it is loaded, before main: that one is out of
// reach, and has the lowest number that the program was started without.)
//
// Those that are closed are held by a descriptor that nothing can be read from
// or written to: read() and write() fail with EBADF, as before.
//
// Ownership: owns what it holds; the Sys outlives it.
// Threads:   one at a time.
// Bounds:    three descriptors, close-on-exec.
// Ends:      the destructor closes those that still are what it put there.

#ifndef TROLLEY_ACTORS_GRPC_STANDARD_PLACES_H_
#define TROLLEY_ACTORS_GRPC_STANDARD_PLACES_H_

#include <vector>

#include "trolley/poller/sys.h"

namespace trolley::control {

class StandardPlaces {
 public:
  // Holds those of 0 to 2 that are closed, as far as there are descriptors.
  explicit StandardPlaces(Sys& sys);
  ~StandardPlaces();
  StandardPlaces(const StandardPlaces&) = delete;
  StandardPlaces& operator=(const StandardPlaces&) = delete;

 private:
  Sys& sys_;
  std::vector<int> held_;
};

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_STANDARD_PLACES_H_
