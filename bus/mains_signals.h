// SPDX-License-Identifier: Apache-2.0
//
// What a handler needs to start a process. A child inherits the signal mask of
// the thread that starts it, and that of a loop is not the one that the program
// gave the bus: every loop blocks SIGPIPE, and a `sigio` loop its own two. A
// child that inherits a blocked SIGPIPE does not end when its reader does.
//
//   void On(const Compress& m) {
//     absl::Status started = trolley::WithMainsSignals(
//         loop().bus(), [&] { pid_ = Start({"gzip", m.path}); });
//   }
//
// That holds for fork and exec, posix_spawn, std::system and popen alike. The
// rest needs no help: the bus sets no disposition, and every descriptor it
// makes is close-on-exec. Who calls posix_spawn with attributes of its own may
// give them BusState::mains_signals() (posix_spawnattr_setsigmask) instead.
//
// Threads:   thread-safe.
// Bounds:    one thread, for as long as `start` runs.

#ifndef TROLLEY_BUS_MAINS_SIGNALS_H_
#define TROLLEY_BUS_MAINS_SIGNALS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "trolley/bus/bus_state.h"

namespace trolley {

// Calls `start` on a thread of its own and returns when it has returned. The
// thread has the signal mask of the thread that created the bus, as it was
// then. What `start` throws is thrown again from here.
//
// The caller waits, and its loop with it: `start` starts a process and does not
// wait for its end. Loop::Current() is null in `start`, so it sends nothing
// from the actor. The thread has ended when this returns, and a child that
// asked for PR_SET_PDEATHSIG gets that signal then.
//
// ResourceExhausted: no thread is to be had; `start` was not called.
absl::Status WithMainsSignals(BusState& bus, absl::FunctionRef<void()> start);

}  // namespace trolley

#endif  // TROLLEY_BUS_MAINS_SIGNALS_H_
