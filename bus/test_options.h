// SPDX-License-Identifier: Apache-2.0
//
// TestOptions: what a test replaces below a bus, so that a run can fail on
// demand, or be played again. Programs leave it as it is.
//
//   trolley::SimWorld world(/*seed=*/7);
//   trolley::BusOptions options;
//   options.for_tests = {.sys = &world.sys(),
//                        .clock = &world.clock(),
//                        .single_threaded = true};
//
// Values: BusOptions holds them. The test owns the objects that they point to,
// and keeps them until the last Address of the bus is gone.

#ifndef TROLLEY_BUS_TEST_OPTIONS_H_
#define TROLLEY_BUS_TEST_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/bus/actor_id.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/sys.h"

namespace trolley {

// Chooses which loop of a single-threaded bus has the next turn, round by
// round. In a round each loop that it does not hold has a turn, or several.
class TurnOrder {
 public:
  // The loop with the next turn, below `loops`; nullopt: the round is over.
  virtual std::optional<uint32_t> Next(uint32_t loops) = 0;
  // That turn is over. `worked`: there was something to do.
  virtual void Had(bool worked) = 0;
  // True: the loop has no turns now, so its timers are not waited for.
  virtual bool Holds(uint32_t loop) const = 0;

 protected:
  ~TurnOrder() = default;
};

// Is told what happens on a single-threaded bus, as it happens. It changes
// nothing of the bus.
class RunObserver {
 public:
  enum class What : uint8_t {
    kStarted,  // the actor
    kEnded,
    kHandled,  // the message
    kFailed,
    kWaits,  // its handler is suspended; another word follows
    kExpired,
    kDeadLettered,
    kDropped,
  };
  // `sender`: empty if it is no actor. `message`: the name of its type. Both
  // are empty for a start and an end.
  virtual void Saw(What what, ActorId actor, ActorId sender,
                   absl::string_view message) = 0;

 protected:
  ~RunObserver() = default;
};

// Runs a single-threaded bus while a thread waits for a reply.
class BusDriver {
 public:
  // Returns when done() is true, at the latest after `within`, or when nothing
  // more can happen.
  virtual void Drive(const std::function<bool()>& done,
                     absl::Duration within) = 0;

 protected:
  ~BusDriver() = default;
};

struct TestOptions {
  // The system calls and the clock. Null: the real ones.
  Sys* sys = nullptr;
  const Clock* clock = nullptr;

  // Names this run of the program. A link notices by it that a peer was
  // restarted. 0: a random number.
  uint64_t instance_id = 0;

  // True: the bus starts no thread. The caller runs all loops on its own thread
  // by Bus::RunUntilIdle().
  bool single_threaded = false;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_TEST_OPTIONS_H_
