// SPDX-License-Identifier: Apache-2.0
//
// Service: spawns the actors of the word counter, each on its loop:
//
//   loop 0    reader -> splitter     and the answers, "wordcount/top"
//   loop 1..  counter-0, counter-1, ...
//
// Ownership: the bus owns the actors; a Service has their addresses.
// Threads:   main calls Start once.
// Ends:      the actors end with the bus.

#ifndef TROLLEY_EXAMPLES_WORDCOUNT_SERVICE_H_
#define TROLLEY_EXAMPLES_WORDCOUNT_SERVICE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "trolley/actors/bus.h"
#include "trolley/examples/wordcount/counter.h"
#include "trolley/examples/wordcount/top.h"
#include "trolley/poller/scoped_fd.h"

namespace wordcount {

struct Service {
  // Spawns the actors and begins to read `input`.
  // `counters` is at least 1; errors as Bus::Spawn.
  static absl::StatusOr<Service> Start(trolley::Bus& bus, int counters,
                                       trolley::ScopedFd input);

  trolley::Ref<TopWords> top;
};

}  // namespace wordcount

#endif  // TROLLEY_EXAMPLES_WORDCOUNT_SERVICE_H_
