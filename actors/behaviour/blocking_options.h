// SPDX-License-Identifier: Apache-2.0
//
// BlockingPoolOptions: the limits of a BlockingPool
// (actors/behaviour/blocking.h).
//
// A value; any thread.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_BLOCKING_OPTIONS_H_
#define TROLLEY_ACTORS_BEHAVIOUR_BLOCKING_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "trolley/bus/options.h"

namespace trolley {

struct BlockingPoolOptions {
  static constexpr int kMostThreads = 256;
  static constexpr uint32_t kMostWaiting = 32'000;

  // Threads, 0 to kMostThreads; a count. Each runs one function at a time. 4:
  // few enough for a small container. 0 is for tests on one thread (SimBus):
  // then the loop of the pool's actor runs each function itself.
  int threads = 4;
  // Functions that wait for a thread, 0 to kMostWaiting; a count. A further one
  // is ResourceExhausted. 1024: as many as a mailbox holds.
  uint32_t max_waiting = 1024;

  // The name and the loop of the pool's actor, as SpawnOptions. The actor has
  // the functions until they have returned, so `trolley ps` shows them as its
  // depth.
  std::string name = "";
  int loop = SpawnOptions::kAnyLoop;
  // The name of the threads in tools such as top and gdb; at most 15 bytes.
  std::string thread_name = "blocking";
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateBlockingPoolOptions(const BlockingPoolOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_BLOCKING_OPTIONS_H_
