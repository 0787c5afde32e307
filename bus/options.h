// SPDX-License-Identifier: Apache-2.0
//
// The options of a bus, its loops and its actors. Every limit is a field here,
// with its unit, its default and the reason for it.
//
// Values: filled in by whoever calls Bus::Create or Bus::Spawn.

#ifndef TROLLEY_BUS_OPTIONS_H_
#define TROLLEY_BUS_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/pollers.h"
#include "trolley/poller/sys.h"

namespace trolley {

struct LoopOptions {
  // 2^24 places for actors, less those on their way between two lists.
  static constexpr uint32_t kMostActors = (1u << 24) - 128;
  static constexpr uint32_t kMostEventsPerWait = 1u << 16;

  // A built-in poller by name (poller/pollers.h), or "auto" for the best that
  // this machine allows; what it could not take, and why, is in the log and in
  // LoopInfo::passed_over. Ignored if `factory` is set.
  std::string poller = "epoll";
  // A poller of your own; called once, before the loop's thread starts.
  PollerFactory factory = nullptr;

  // Messages one actor handles before its neighbours get their turn. Large
  // enough to stay in its cache lines, small enough for a quiet neighbour. Half
  // as many while more than a turn's worth is queued for it. At least 1.
  uint32_t messages_per_slice = 64;
  // Messages of all actors between two looks at timers and other loops. What
  // comes from another loop waits for one turn, and its reply for another. At
  // least 1.
  uint32_t messages_per_turn = 128;
  // Descriptor events taken from one wait, 1 to kMostEventsPerWait; 12 bytes
  // each.
  uint32_t events_per_wait = 256;
  // Turns with messages to handle between two looks at the descriptors, each of
  // which is a system call. 0 and 1: none between them.
  uint32_t turns_between_polls = 32;

  // How long an idle loop looks for messages before it sleeps. Worth ten times
  // in latency when a message comes within it, and a burnt CPU when none does:
  // off unless asked for, and off by itself while it does not pay. 0 to 1 s,
  // else Bus::Create is InvalidArgument: descriptors are not looked at
  // meanwhile. A timer that is due ends it.
  absl::Duration spin = absl::ZeroDuration();

  // Actors at one time, 1 to kMostActors. 128 bytes each, taken as needed.
  uint32_t max_actors = 4u << 20;
  // Asks of this loop's actors that wait for their reply at one time; the next
  // one is refused. 32 bytes each, taken as needed.
  uint32_t max_pending_asks = 1u << 20;
};

// What the log of a bus writes at most, and keeps. A line that these leave out
// is counted, and the log says how many there were (bus/log.h).
struct LogOptions {
  // Lines of one kind from one source: so many at once, then one each
  // `interval`. A kind is a place in the code; a source is the class of an
  // actor, or the user or the path at the other end of a connection. 10 lines
  // tell what happens, and one a second that it goes on. An interval of 0: all
  // lines are written.
  uint32_t lines_at_once = 10;
  absl::Duration interval = absl::Seconds(1);
  // Sources that are told apart; the others of a kind count as one. 200 bytes
  // each, 700 while some of its lines are left out.
  uint32_t max_sources = 256;

  // What may wait for a sink that is slow; a further line is dropped.
  uint32_t max_waiting_lines = 1024;
  size_t max_waiting_bytes = 256 << 10;

  // How long the end of the bus waits for a sink that does not take what
  // waits. 1 s: a terminal or a log daemon takes all of it in a tenth.
  absl::Duration patience = absl::Seconds(1);
};

struct BusOptions {
  // One thread and one poller for each entry; at most 255.
  std::vector<LoopOptions> loops = {LoopOptions{}};

  // Borrowed; null means the real ones. Tests pass simulated or failing ones.
  Sys* sys = nullptr;
  const Clock* clock = nullptr;

  // Tells this run of the program from every other one, so that links notice a
  // peer that was restarted. 0: random. Tests that replay set it.
  uint64_t instance_id = 0;

  // Actors that have ended of which the name and the reason are kept for those
  // that send to them later; only those that had a name or threw. A count; 1 KB
  // each at most, taken as they end. When there are more, the oldest is known
  // by its id alone. Enough for the ends of a bad minute. 0: none.
  uint32_t ended_actors_kept = 1024;

  // Called with each line of the log, which has no line break and no control
  // character in it: a handler threw, a connection ended, a poller is broken.
  // Null writes to standard error.
  //
  // One call at a time, on the log's own thread, which is no loop; with
  // `single_threaded`, on the thread that logs. What it throws is caught and
  // counted. While it blocks, lines wait and then are dropped, and loops go on.
  // A call that has not returned LogOptions::patience after the end of the bus
  // is left behind with its thread, so what it uses must live on.
  std::function<void(absl::string_view)> log = nullptr;
  LogOptions log_limits = {};

  // True: no threads are started; the caller drives every loop from one thread
  // through Bus::RunUntilIdle(). For tests.
  bool single_threaded = false;
};

// InvalidArgument, naming the field, its value and its range.
absl::Status ValidateBusOptions(const BusOptions& options);

struct SpawnOptions {
  static constexpr int kAnyLoop = -1;

  // 1 to 128 of [a-z0-9_./-], unique on the bus; empty: no name.
  std::string name = "";
  // Which loop it lives on. kAnyLoop: the loop of the actor that spawns it; for
  // a plain thread, the loops in turn.
  int loop = kAnyLoop;
  // Messages its data lane holds at one time; at least 1. Its memory is this
  // times the size of a message.
  uint32_t mailbox_capacity = 1024;
  // True: takes the next message while a handler is suspended in co_await.
  bool interleaved = false;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_OPTIONS_H_
