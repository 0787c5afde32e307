// SPDX-License-Identifier: Apache-2.0
//
// ExitCodes: the exit code of a program says how its bus has ended.
//
//   int main() {
//     ...
//     return trolley::ExitCodeOf(bus.Shutdown(absl::Seconds(10)));
//   }
//
// If several rows hold, the code is the highest of them:
//
//   code  name        when
//   0     kClean      none of the others
//   10    kAbandoned  messages were accepted and never handled
//   11    kNotQuiet   work was still under way when the bus stopped its actors
//   12    kLate       a phase reached its deadline and stopped its actors, or
//                     no time was left for it
//   13    kFailed     an actor of a phase failed while the program ended
//   14    kSurvived   an actor outlived its phase
//   15    kStuck      a handler has not returned; its loop runs on
//
// Codes 12 to 14 come from phases (actors/behaviour/shutdown_phases.h). All of
// them are free in the lists that others use: 1 and 2 are those of shells and
// of wrong options, 3 to 7 those of init scripts, 64 to 78 those of sysexits.h,
// and from 126 on those of signals.
//
// Ownership: constants and a function.
// Threads:   any.
// Bounds:    none.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_EXIT_CODES_H_
#define TROLLEY_ACTORS_BEHAVIOUR_EXIT_CODES_H_

#include "trolley/bus/shutdown_report.h"

namespace trolley {

// The codes of the table above.
struct ExitCodes {
  static constexpr int kClean = 0;
  static constexpr int kAbandoned = 10;
  static constexpr int kNotQuiet = 11;
  static constexpr int kLate = 12;
  static constexpr int kFailed = 13;
  static constexpr int kSurvived = 14;
  static constexpr int kStuck = 15;
};

// The code of a bus that has ended without phases:
//
//   kStuck      ShutdownReport::survivors is not empty
//   kNotQuiet   ShutdownReport::clean is false
//   kAbandoned  ShutdownReport::abandoned is not 0
//   kClean      otherwise
int ExitCodeOf(const ShutdownReport& report);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_EXIT_CODES_H_
