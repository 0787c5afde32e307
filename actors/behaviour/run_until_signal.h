// SPDX-License-Identifier: Apache-2.0
//
// RunUntilSignal: the end of a main(). It waits for a signal, shuts the bus
// down and says how that went.
//
//   int main() {
//     auto bus = trolley::Bus::CreateOrDie({});
//     ... spawn actors ...
//     return trolley::RunUntilSignal(bus);
//   }
//
//   $ ./service
//   ^Cending: Interrupt
//   ended: clean, took 1.2ms; abandoned 0; attempted=4658 ...
//
// The first signal begins the shutdown. A second one, `second_after` later, has
// its default effect: it ends the process at once. For a shell the exit code is
// then 128 and the number of the signal. A signal that comes before the call
// has the effect that it had. Programs that the process starts see nothing of
// all this (actors/behaviour/signals.h).
//
// It returns the exit code of the program:
//
//   code     when
//   0        the shutdown was clean
//   1        the signals cannot be caught: then the bus is shut down at once,
//            and the text says why
//   others   actors/behaviour/exit_codes.h, such as 15 for a handler that did
//            not return
//
// A program that ends in phases (actors/behaviour/shutdown_phases.h) passes
// these in place of the bus:
//
//   return trolley::RunUntilSignal(phases);
//
// Ownership: borrows the bus or the phases. Bus::Shutdown() has returned when
//            this returns.
// Threads:   the thread that may call Bus::Shutdown(); mostly that of main().
//            It waits here.
// Bounds:    RunUntilSignalOptions::deadline for the shutdown. Two descriptors
//            for each signal, which stay open until the process ends, and one
//            more if `until_ended` is set.
// Ends:      by a signal, or with `until_ended`.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_RUN_UNTIL_SIGNAL_H_
#define TROLLEY_ACTORS_BEHAVIOUR_RUN_UNTIL_SIGNAL_H_

#include <signal.h>

#include <functional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/actors/behaviour/shutdown_phases.h"
#include "trolley/actors/bus.h"
#include "trolley/bus/address.h"

namespace trolley {

struct RunUntilSignalOptions {
  // The signals that end the program; those that Signals can have.
  std::vector<int> signals = {SIGTERM, SIGINT};
  // The deadline of Bus::Shutdown(), or of ShutdownPhases::Run(), with the rule
  // of poller/instant.h. 10 s: systemd and Kubernetes kill a service that is
  // not gone 90 s and 30 s after the signal.
  absl::Duration deadline = absl::Seconds(10);
  // A signal ends the process at once if it comes so long after the shutdown
  // has begun, or later. 0.2 s: less than a person needs to press ^C again, and
  // more than the time between the two signals that timeout(1) sends.
  absl::Duration second_after = absl::Milliseconds(200);
  // The program also ends when this actor has ended. Empty: no actor ends it.
  Address until_ended = {};
  // Called before the shutdown, such as to end what uses the bus. Null: none.
  std::function<void()> before_shutdown = nullptr;
  // Takes the texts for people, without the line break at the end. Null:
  // standard error.
  std::function<void(absl::string_view)> print = nullptr;
};

// See above.
int RunUntilSignal(Bus& bus, const RunUntilSignalOptions& options = {});
// The same with ShutdownPhases::Run() in place of Bus::Shutdown().
int RunUntilSignal(ShutdownPhases& phases,
                   const RunUntilSignalOptions& options = {});

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_RUN_UNTIL_SIGNAL_H_
