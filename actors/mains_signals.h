// SPDX-License-Identifier: Apache-2.0
//
// WithMainsSignals: starts a process from a handler. A child inherits the
// signal mask of the thread that starts it. A loop blocks SIGPIPE, and a
// `sigio` loop two more signals. A child with a blocked SIGPIPE would not end
// when its reader ends, so this starts it on a thread with the mask of main().
//
//   void On(const Compress& m) {
//     absl::Status started = trolley::WithMainsSignals(
//         context(), [&] { pid_ = Start({"gzip", m.path}); });
//   }
//
// Use it for fork and exec, posix_spawn, std::system and popen. The bus changes
// no signal handler, and each of its descriptors is close-on-exec. A call of
// posix_spawn with attributes may set ActorContext::mains_signals() there
// instead (posix_spawnattr_setsigmask).
//
// Threads:   thread-safe.
// Bounds:    one thread, for as long as `start` runs.

#ifndef TROLLEY_ACTORS_MAINS_SIGNALS_H_
#define TROLLEY_ACTORS_MAINS_SIGNALS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "trolley/actors/context.h"

namespace trolley {

// Calls `start` on a new thread, waits for it, and rethrows what it throws. The
// signal mask of the new thread is the one of the thread that created the bus,
// at that time.
//
// The loop waits meanwhile. So `start` must not wait for the end of the
// process. In `start`, messages are sent as from a plain thread. The new thread
// has ended when this returns: a child that set PR_SET_PDEATHSIG gets its
// signal then.
//
//   ResourceExhausted   no thread is left; `start` was not called
//   other               of the system call that sets the signal mask
//                       (poller/errno_status.h); `start` was not called
absl::Status WithMainsSignals(ActorContext context,
                              absl::FunctionRef<void()> start);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_MAINS_SIGNALS_H_
