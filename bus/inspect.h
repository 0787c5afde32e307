// SPDX-License-Identifier: Apache-2.0
//
// What a bus tells about itself while it runs: Bus::Inspect(), InspectLoops(),
// ListActors() and InspectActor() (actors/bus.h) make these.
//
//   absl::StatusOr<trolley::BusInfo> info = bus.Inspect(absl::Seconds(1));
//   for (const trolley::ActorInfo& actor : info->actors) ...
//
// All of them are copies; any thread may have them. Each loop fills in its part
// at another moment, so the parts of a busy bus need not fit together exactly.
// All numbers are counts.

#ifndef TROLLEY_BUS_INSPECT_H_
#define TROLLEY_BUS_INSPECT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trolley/bus/actor_id.h"
#include "trolley/bus/exit_reason.h"
#include "trolley/bus/ledger.h"
#include "trolley/bus/mailbox/actor_class.h"

namespace trolley {

struct ActorInfo {
  ActorId id;
  std::string name;        // SpawnOptions::name, or "#loop.slot.generation"
  std::string class_name;  // of the C++ class
  // "starting", "running", "suspended", "draining"; of a seat without an object
  // (actors/seat.h) "empty".
  std::string state;
  // Messages that hold a credit: those that wait in its mailbox (the data
  // lane), and those whose handlers are suspended.
  uint32_t depth = 0;
  uint32_t capacity = 0;  // SpawnOptions::mailbox_capacity
  // The bytes of these messages, of SpawnOptions::mailbox_bytes. Both are 0 if
  // there is no such bound.
  uint64_t bytes = 0;
  uint64_t most_bytes = 0;
  uint64_t handled = 0;  // messages that it has handled
  // Orders the actors of the bus by their start; 0: it has ended.
  uint64_t start_sequence = 0;
  // Tells which messages it takes from other processes (actors/wire.h).
  const internal::ActorClass* actor_class = nullptr;
};

// Why an actor ended, and how it looked just before.
struct ActorEnd {
  ExitReason reason;
  // Without an id in two cases: the actor ended before WhenEnded() was called,
  // or it never came to its loop.
  ActorInfo last;
};

struct LoopInfo {
  uint32_t index = 0;
  std::string poller;  // its name
  // The pollers that "auto" could not use, and why; empty for other pollers.
  std::string passed_over;
  uint32_t actors = 0;              // those that are being spawned included
  uint32_t pending_asks = 0;        // asks of its actors that wait for a reply
  uint32_t suspended_messages = 0;  // messages whose handlers wait
  uint64_t turns = 0;
  uint64_t waits = 0;  // waits in the poller that could sleep
  uint64_t wakes = 0;  // wakes by other threads
  Ledger ledger;
};

// A position among the actors of a bus, for ListActors(). The default is the
// first one.
struct ActorPosition {
  uint32_t loop = 0;
  uint32_t slot = 0;
};

struct ActorPage {
  std::vector<ActorInfo> actors;
  std::optional<ActorPosition> next;  // where the next page begins, if any
};

// What became of the lines of the log.
struct LogCounts {
  uint64_t written = 0;   // the sink took them
  uint64_t left_out = 0;  // not written because of LogOptions::lines_at_once
  uint64_t dropped = 0;   // the sink was too slow, or the bus had ended
  uint64_t failed = 0;    // the sink threw, or standard error is broken
};

struct BusInfo {
  std::vector<LoopInfo> loops;
  std::vector<ActorInfo> actors;  // in the order that Bus::Inspect says
  Ledger ledger;                  // the sum over loops and plain threads
  LogCounts log;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_INSPECT_H_
