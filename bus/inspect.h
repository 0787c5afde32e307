// SPDX-License-Identifier: Apache-2.0
//
// What a bus tells about itself while it runs. Values: copies, any thread.

#ifndef TROLLEY_BUS_INSPECT_H_
#define TROLLEY_BUS_INSPECT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trolley/bus/actor_class.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/ledger.h"

namespace trolley {

struct ActorInfo {
  ActorId id;
  std::string name;        // its own, or "#loop.slot.generation"
  std::string class_name;  // of the C++ class
  std::string state;       // "starting", "running", "suspended", "draining"
  uint32_t depth = 0;      // messages in the data lane
  uint32_t capacity = 0;   // its bound
  uint64_t handled = 0;    // messages since it started
  uint64_t start_sequence = 0;  // 0: it has ended
  // Its class, for what it takes from other processes (actors/wire.h).
  const ActorClass* actor_class = nullptr;
};

struct LoopInfo {
  uint32_t index = 0;
  std::string poller;
  // What "auto" tried before it, and why it did not take it; else empty.
  std::string passed_over;
  uint32_t actors = 0;  // those that are being spawned count
  uint32_t pending_asks = 0;
  uint32_t suspended_messages = 0;  // messages whose handlers wait
  uint64_t turns = 0;
  uint64_t waits = 0;
  uint64_t wakes = 0;
  Ledger ledger;
};

// A place where an actor lives or could; the default one is before all others.
struct ActorPlace {
  uint32_t loop = 0;
  uint32_t slot = 0;
};

struct ActorPage {
  std::vector<ActorInfo> actors;
  std::optional<ActorPlace> next;  // where the next page begins, if any
};

// What became of the lines of the log; counts.
struct LogCounts {
  uint64_t written = 0;   // the sink took them
  uint64_t left_out = 0;  // by LogOptions::lines_at_once
  uint64_t dropped = 0;   // the sink was too slow, or the bus had ended
  uint64_t failed = 0;    // the sink threw, or standard error is broken
};

struct BusInfo {
  std::vector<LoopInfo> loops;
  std::vector<ActorInfo> actors;  // as Bus::Inspect orders them
  Ledger ledger;                  // of all loops and of plain threads
  LogCounts log;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_INSPECT_H_
