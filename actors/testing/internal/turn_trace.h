// SPDX-License-Identifier: Apache-2.0
//
// TurnTrace: what became of each message of a bus, and what changed in each
// turn of a loop, as lines of a RunTrace. It only reads counters and is told of
// messages, so a run with it is the run without it.
//
// Ownership: part of a SimBus; borrows the bus, its clock and the trace.
// Threads:   one, that of the test.
// Bounds:    those of the RunTrace.
// Ends:      with the SimBus.

#ifndef TROLLEY_ACTORS_TESTING_INTERNAL_TURN_TRACE_H_
#define TROLLEY_ACTORS_TESTING_INTERNAL_TURN_TRACE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/testing/run_trace.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/ledger.h"
#include "trolley/bus/test_options.h"
#include "trolley/poller/clock.h"

namespace trolley::internal {

class TurnTrace final : public RunObserver {
 public:
  // `name_of`: as Address::ToString() of that actor.
  TurnTrace(const Clock& clock, testing::RunTrace& trace,
            std::function<std::string(ActorId)> name_of)
      : clock_(clock),
        trace_(trace),
        name_of_(std::move(name_of)),
        began_(clock.Now()) {}

  void Saw(What what, ActorId actor, ActorId sender,
           absl::string_view message) override;

  // Adds a line of the virtual time now.
  void Note(absl::string_view text) { trace_.Add(clock_.Now() - began_, text); }

  // If the counts of `bus` have changed since the last call, adds a line that
  // says how. `who`: what has run since then.
  void NoteChanges(const Bus& bus, absl::string_view who);

 private:
  const Clock& clock_;
  testing::RunTrace& trace_;
  const std::function<std::string(ActorId)> name_of_;
  const Instant began_;
  Ledger ledger_;  // at the last call
  uint64_t actors_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TESTING_INTERNAL_TURN_TRACE_H_
