// SPDX-License-Identifier: Apache-2.0
//
// The options of a bus, of its loops, of its log and of its actors. Each limit
// is a field with a unit, a range, a default and the reason for the default.
//
//   trolley::BusOptions options;
//   options.loops = {{.poller = "auto"}, {.poller = "auto", .cpus = {3}}};
//   auto bus = trolley::Bus::Create(options);
//   (*bus)->Spawn<Account>({.name = "accounts/alice"}, 100);
//
// Most programs set `loops` and SpawnOptions::name, and leave the rest. A value
// out of its range is InvalidArgument from Bus::Create or Spawn.
//
// Values: the caller of Bus::Create or Spawn fills them in; both copy them.

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
#include "trolley/bus/test_options.h"
#include "trolley/poller/pollers.h"

namespace trolley {

struct LoopOptions {
  // 2^24 slots, less those that are moving between two lists of free cells.
  static constexpr uint32_t kMostActors = (1u << 24) - 128;
  static constexpr uint32_t kMostEventsPerWait = 1u << 16;
  static constexpr int kHighestCpu = 1023;

  // The name of a built-in poller (poller/pollers.h), or "auto" for the best
  // one that works on this machine. The log and LoopInfo::passed_over say which
  // pollers "auto" could not use, and why. Ignored if `factory` is set.
  std::string poller = "epoll";
  // Makes a poller of your own; called once, before the loop's thread starts.
  PollerFactory factory = nullptr;

  // Messages that one actor handles before the next actor runs; a count, at
  // least 1. 64: enough to use the data that the actor has in the CPU's cache,
  // and few enough for other actors. Half of it while at least
  // messages_per_turn messages are queued for the actor.
  uint32_t messages_per_slice = 64;
  // Messages of all actors in one turn, at least 1; a count. The loop looks at
  // its timers and at messages of other loops once a turn, so a larger value
  // makes those wait longer.
  uint32_t messages_per_turn = 128;
  // Events of descriptors that one wait returns, 1 to kMostEventsPerWait; a
  // count. 12 bytes each.
  uint32_t events_per_wait = 256;
  // A busy loop looks at its descriptors once in so many turns; a count. 0 and
  // 1: each turn. 32: a look costs a system call, so a busy loop does not look
  // in each turn.
  uint32_t turns_between_polls = 32;

  // An idle loop looks for messages for so long before it sleeps; 0 to 1 s. A
  // message that comes in this time arrives up to 10 times sooner. The price is
  // a CPU that is busy all the time, so the default is 0. After 16 times in
  // which no message came, the loop tries it only once in 16 times. The loop
  // does not look at its descriptors in this time. It stops looking for
  // messages when a timer is due.
  absl::Duration spin = absl::ZeroDuration();

  // The name of the loop's thread in tools such as top and gdb; at most 15
  // bytes. Empty: "loop 0", "loop 1" and so on.
  std::string thread_name = "";
  // The numbers of the CPUs that the loop's thread may run on, 0 to
  // kHighestCpu. Empty: those of the thread that creates the bus. If this
  // process may use none of them, Bus::Create is InvalidArgument. Set it for a
  // loop that spins, or that must not share a CPU.
  std::vector<int> cpus = {};

  // Actors at one time, 1 to kMostActors; a count. A further spawn is
  // ResourceExhausted. 128 bytes each, allocated when first used.
  uint32_t max_actors = 4u << 20;
  // Asks and sends of this loop's actors that wait at one time; a count. A
  // further one is ResourceExhausted. 32 bytes each, allocated when first used.
  uint32_t max_pending_asks = 1u << 20;
};

// Limits of the log of a bus. The log counts the lines that it does not write
// because of a limit, and writes how many there were (bus/log/log.h).
struct LogOptions {
  // The longest line, in bytes; a longer one is cut.
  static constexpr size_t kMostLineBytes = 4096;

  // Of one kind of line from one source, the log writes lines_at_once lines at
  // once, and then one line per `interval`. A kind is a place in the code. A
  // source is what caused the line: the class of an actor, or the user or the
  // path at the other end of a connection. 10 lines show what happens; one a
  // second shows that it still happens. An interval of 0: no such limit.
  uint32_t lines_at_once = 10;
  absl::Duration interval = absl::Seconds(1);
  // Sources that the log tells apart; a count. All further sources of a kind
  // count as one. 200 bytes each, and 700 while lines of it are left out.
  uint32_t max_sources = 256;

  // Lines, and bytes, that wait for a slow sink. A further line is dropped.
  uint32_t max_waiting_lines = 1024;
  size_t max_waiting_bytes = 256 << 10;

  // How long the end of the bus waits for the sink to take the lines that
  // wait. 1 s: a terminal or a log daemon needs a tenth of it.
  absl::Duration patience = absl::Seconds(1);
};

struct BusOptions {
  // One loop for each entry, with a thread and a poller of its own; 1 to 255.
  std::vector<LoopOptions> loops = {LoopOptions{}};

  // Ended actors whose name and reason the bus keeps, for the errors of later
  // sends to them; a count, 0 for none. Only actors that had a name or threw
  // are kept. At most 1 KB each, allocated as they end. When there are more,
  // the oldest is forgotten: errors then show its id. 1024: about the number
  // of actors that end in one bad minute.
  uint32_t ended_actors_kept = 1024;

  // The sink of the log: called with each line, such as "a handler threw" or "a
  // connection ended". A line has no line break and no control character. Null:
  // standard error.
  //
  //   thread      the log's own, one call at a time; with
  //               TestOptions::single_threaded, the thread that logs
  //   exceptions  caught, and counted in LogCounts::failed
  //   blocks      lines wait and then are dropped; the loops go on
  //   does not return within LogOptions::patience after the end of the bus
  //               the thread is left behind; what the sink uses must live on
  std::function<void(absl::string_view)> log = nullptr;
  LogOptions log_limits = {};

  // For tests only: bus/test_options.h.
  TestOptions for_tests = {};
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateBusOptions(const BusOptions& options);

// What becomes of a message to a full mailbox.
enum class Overflow : uint8_t {
  // It is refused: the sender gets Delivery::kFull, and an ask fails at once
  // with ResourceExhausted.
  kRefuse,
  // It is accepted, and the oldest ordinary message that waits is dropped when
  // the actor has its next turn. The ledger counts that as `dropped`; if it is
  // an ask, its asker gets ResourceExhausted. SpawnOptions::kMostOnTheWay more
  // messages may be on their way; a further one is refused.
  kDropOldest,
};

struct SpawnOptions {
  static constexpr int kAnyLoop = -1;
  static constexpr size_t kMostNameBytes = 128;
  static constexpr uint32_t kMostOnTheWay = 1024;
  static constexpr uint32_t kMostMailboxCapacity =
      (1u << 24) - 1 - kMostOnTheWay;
  static constexpr uint32_t kMostUrgentReserve = 255;
  static constexpr uint64_t kMostMailboxBytes = uint64_t{1} << 40;

  // 1 to kMostNameBytes bytes of [a-z0-9_./-], unique among the actors that run
  // on the bus. Empty: no name.
  std::string name = "";
  // The loop that it lives on, 0 to Bus::loops() - 1. kAnyLoop: the loop of the
  // actor that spawns it; for a plain thread, one loop after the other.
  int loop = kAnyLoop;
  // Messages that may wait in its mailbox at one time, 1 to
  // kMostMailboxCapacity; a count. `overflow` says what becomes of a further
  // one. The memory of a full mailbox is this times the size of an envelope: 56
  // bytes and the message, rounded up to a power of two.
  uint32_t mailbox_capacity = 1024;
  // So many of them are kept for urgent messages, 0 to kMostUrgentReserve and
  // less than mailbox_capacity; a count. A message is urgent if its class has
  // the line `static constexpr bool kUrgent = true;`. The actor handles it
  // before the ordinary messages that wait.
  uint32_t urgent_reserve = 0;
  // Bytes of the messages that may wait in its mailbox at one time, 0 to
  // kMostMailboxBytes. `overflow` says what becomes of a further message. 0: no
  // bound in bytes. A message counts until its handler has ended. What it
  // counts for: bus/message/message_bytes.h; a class says it with the member
  // `size_t OwnedBytes() const`. A message that is larger than the bound waits
  // for a mailbox without bytes.
  uint64_t mailbox_bytes = 0;
  Overflow overflow = Overflow::kRefuse;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
// Not for the name and the loop.
absl::Status ValidateMailbox(const SpawnOptions& options);

// OK, or InvalidArgument: `name` is not 1 to kMostNameBytes bytes of
// [a-z0-9_./-].
absl::Status ValidateActorName(absl::string_view name);

}  // namespace trolley

#endif  // TROLLEY_BUS_OPTIONS_H_
