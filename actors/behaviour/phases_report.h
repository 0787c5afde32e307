// SPDX-License-Identifier: Apache-2.0
//
// PhasesReport: how a program has ended by ShutdownPhases
// (actors/behaviour/shutdown_phases.h), actor by actor.
//
//   const trolley::PhasesReport& report = phases.Run(absl::Seconds(20));
//   if (!report.clean()) std::cerr << report.ToString() << "\n";
//   return report.ExitCode();
//
// What ToString() says of a program whose listener does not return:
//
//   not clean, exit code 15, took 2.9s
//   phase listeners: took 2.2s; of 2 actors 1 ended in time, 1 survived:
//     web/accept (survived, stuck, depth 3, handled 17)
//   phase storage: took 41us; of 1 actors 1 ended in time
//   bus: not clean, took 500ms; ...
//
// Each phase is one line; the second one is broken here.
//
// Ownership: values; they own what they hold.
// Threads:   any.
// Bounds:    one PhaseActor for each actor of ShutdownPhases::Add(). ToString()
//            names at most PhaseReport::kMostNamed actors of a phase.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_PHASES_REPORT_H_
#define TROLLEY_ACTORS_BEHAVIOUR_PHASES_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/bus/exit_reason.h"
#include "trolley/bus/shutdown_report.h"

namespace trolley {

// What became of an actor in its phase.
enum class PhaseEnd : uint8_t {
  kBefore,    // it had ended before its phase began
  kInTime,    // it ended by the deadline of its phase
  kStopped,   // it was stopped at the deadline, and ended
  kSurvived,  // it was stopped at the deadline, and had not ended soon after
  kNoTime,    // no time was left for its phase: Bus::Shutdown() ended it
};

// "had ended before", "ended in time", "stopped", "survived" or "had no time".
absl::string_view PhaseEndName(PhaseEnd end);

struct PhaseActor {
  std::string name;  // as Address::ToString()
  PhaseEnd end = PhaseEnd::kBefore;
  // Why it has ended. kUnknown: it had not ended when Bus::Shutdown() returned.
  // Of an actor that survived: why it ended later.
  ExitReason reason;
  // As in ActorInfo (bus/inspect.h): at its end, or, of one that survived, at
  // the deadline of its phase. "stuck": its loop did not answer, because a
  // handler keeps it. Then the two counts are those of the begin of the phase,
  // or 0 if the loop did not answer at that time either. Empty: it ended
  // before Add(), or never came to its loop.
  std::string state;
  uint32_t depth = 0;    // messages in its mailbox; a count
  uint64_t handled = 0;  // messages that it has handled; a count
};

struct PhaseReport {
  static constexpr size_t kMostNamed = 8;  // actors in ToString(); a count

  std::string name;
  absl::Duration took;
  std::vector<PhaseActor> actors;  // in the order of Add()
  // Messages that became dead letters while the phase ran, those of other
  // actors included; a count.
  uint64_t dead_lettered = 0;

  // True: each actor ended before the phase or in time, and none failed in it.
  bool clean() const;
  // How many actors of the phase have ended so; a count.
  size_t Count(PhaseEnd end) const;
  // One line for people. It names the actors that keep it from being clean.
  std::string ToString() const;
};

struct PhasesReport {
  std::vector<PhaseReport> phases;  // in the order in which they ran
  ShutdownReport bus;               // what Bus::Shutdown() returned
  absl::Duration took;              // the phases and Bus::Shutdown()

  // True: ExitCode() is 0.
  bool clean() const { return ExitCode() == 0; }
  // See actors/behaviour/exit_codes.h.
  int ExitCode() const;
  // Several lines for people, without a line break at the end.
  std::string ToString() const;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_PHASES_REPORT_H_
