// SPDX-License-Identifier: Apache-2.0
//
// ShutdownPhases: ends a program in an order that it chooses: first what lets
// work in, last what the others need.
//
//   trolley::ShutdownPhases phases(bus);
//   absl::Status added =
//       phases.Add("storage", absl::Seconds(5), {store.address()});
//   added.Update(
//       phases.Add("listeners", absl::Seconds(2), {listener.address()}));
//   ...
//   return phases.Run(absl::Seconds(20)).ExitCode();   // listeners first
//
// Add the phases in the order in which their actors have started. Run() takes
// them in the reverse order, one after the other. What happens in a phase:
//
//   at its begin              each actor is asked to end by
//                             Address::Stop(true): it handles its mailbox
//                             first, and takes no further message
//   all of them have ended    the next phase begins
//   at its deadline           the others are stopped by Address::Stop(): their
//                             handlers that wait are cancelled, and their
//                             messages become dead letters
//   kGrace later, at most     an actor that has not ended survives: the report
//                             names it, and Run() goes on without it
//
// After the last phase Bus::Shutdown() ends all other actors in the time that
// is left. If no time is left when a phase would begin, Run() leaves its actors
// to Bus::Shutdown().
//
// During the phases the bus works as ever: plain threads may send, OnDrain() is
// not called. It is called in the actors that Bus::Shutdown() ends.
//
//   an actor of a phase          what happens
//   ended before its phase       it is reported so, with its reason
//   has a handler that waits     its phase waits for it until its deadline
//   is a seat (actors/seat.h)    it survives, as a seat ends when it closes
//                                and not with its object. Add its supervisor
//                                or its pool in its place
//   spins or blocks in a         it survives, and the report says "stuck"
//   handler
//
// Actors that end by a message of their own have that as the last argument:
//
//   phases.Add("tree", absl::Seconds(5), {root.address()},
//              [root] { root.Tell(trolley::StopTree{}); });
//
// A phase that was not clean is logged at its end (Bus::Log). So the log names
// the survivors even if the process is killed before Run() returns.
//
// Ownership: borrows the bus, which outlives it.
// Threads:   Add(): thread-safe; an actor may call it. The rest: the thread
//            that may call Bus::Shutdown(). It waits in Run().
// Bounds:    kMostPhases and kMostActors. If an actor survives, Run() may
//            return kGrace after its deadline, and Bus::Shutdown() may add what
//            actors/bus.h says.
// Ends:      Run() ends the bus. Without it the destructor stops no actor.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_SHUTDOWN_PHASES_H_
#define TROLLEY_ACTORS_BEHAVIOUR_SHUTDOWN_PHASES_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trolley/actors/behaviour/phases_report.h"
#include "trolley/actors/bus.h"
#include "trolley/bus/address.h"

namespace trolley {

class ShutdownPhases {
 public:
  // Counts. 64 phases: a program has a handful. 65536 actors, of all phases
  // together: the report has an entry of about 200 bytes for each.
  static constexpr size_t kMostPhases = 64;
  static constexpr size_t kMostActors = 1 << 16;
  // How long an actor that was stopped hard may take to end. Its loop has to
  // learn of it only; 200 ms is what Bus::Shutdown() gives a loop.
  static constexpr absl::Duration kGrace = absl::Milliseconds(200);

  // wait(done, within) waits until done() is true, but no longer than `within`,
  // which is not negative. It returns what done() returned last.
  using Wait =
      std::function<bool(const std::function<bool()>&, absl::Duration)>;

  explicit ShutdownPhases(Bus& bus);
  ShutdownPhases(const ShutdownPhases&) = delete;
  ShutdownPhases& operator=(const ShutdownPhases&) = delete;
  ~ShutdownPhases();

  // Adds a phase, which is run before those that were added earlier. It may
  // have no actors; then it takes no time. `limit` is its deadline from its
  // begin, with the rule of poller/instant.h: zero or less stops the actors
  // hard at once. The deadline of Run() holds too. `ask_to_end` asks the actors
  // to end in place of Address::Stop(true); Run() calls it on its thread. It
  // must return soon and not throw.
  //
  //   InvalidArgument     `name` is no name of an actor (ValidateActorName); an
  //                       address names no actor, or one of another bus
  //   AlreadyExists       there is a phase of that name; an actor is in a phase
  //                       already, or twice in this one
  //   ResourceExhausted   kMostPhases or kMostActors
  //   FailedPrecondition  Run() has begun
  //
  // After an error the phases are as before.
  absl::Status Add(absl::string_view name, absl::Duration limit,
                   std::vector<Address> actors,
                   std::function<void()> ask_to_end = nullptr);

  // Runs the phases, and then Bus::Shutdown(). `deadline` is that of all of it,
  // with the rule of poller/instant.h: zero or less leaves all actors to
  // Bus::Shutdown(). Later calls return the first report. No actor may call it.
  //
  // Null: `wait` blocks the thread. A bus with TestOptions::single_threaded
  // runs until it is idle; its time does not move, so a phase that is not over
  // then is at its deadline. A test with virtual time passes the wait of its
  // SimBus, and the time moves:
  //
  //   phases.Run(absl::Seconds(20), [&](const auto& done, auto within) {
  //     return sim.RunUntil(done, within);
  //   });
  const PhasesReport& Run(absl::Duration deadline, const Wait& wait = nullptr);

 private:
  struct Phase;
  class Runner;

  absl::Status Check(absl::string_view name, const std::vector<Address>& actors)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Bus& bus_;
  absl::Mutex mutex_;
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Phase>> phases_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<Address> actors_ ABSL_GUARDED_BY(mutex_);  // of all
  std::optional<PhasesReport> report_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_SHUTDOWN_PHASES_H_
