// SPDX-License-Identifier: Apache-2.0
//
// Poller: waits for descriptors and for wakes. The bottom of the bus, and the
// interface to implement to run a loop on an I/O model of your own: six methods
// and a statement of what they can do. Timers, signals and messages live above.
//
// Ownership: a loop owns its poller; a poller borrows the descriptors it is
//            given (whoever adds one removes it before closing it).
// Threads:   constructed anywhere; Add, Modify, Remove and Wait are called by
//            one thread only, the loop's; Wake is thread-safe.
// Bounds:    Capabilities::max_fd and ::max_descriptors.
// Ends:      destroyed by the loop after its last Wait, when no Wake can follow
//            (bus/handoff.h waits for the last one that was promised).
//
// What a loop does with it:
//
//   poller->Add(fd, token, {.ready = Ready::kReadable});
//   for (;;) {
//     WaitResult r = *poller->Wait(absl::MakeSpan(events), next_timer);
//     for (Event& e : span(events, r.events)) Dispatch(e.token, e.ready);
//     if (r.woken) TakeMessages();
//   }
//
// //tests/poller:conformance holds an implementation to this page.

#ifndef TROLLEY_POLLER_POLLER_H_
#define TROLLEY_POLLER_POLLER_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/poller/capabilities.h"
#include "trolley/poller/event.h"
#include "trolley/poller/instant.h"

namespace trolley {

struct WaitResult {
  size_t events = 0;       // how many entries of the span were filled
  bool woken = false;      // at least one Wake() arrived; several count as one
  bool completed = false;  // Completions::TakeCompleted() has something
};

class Completions;

class Poller {
 public:
  virtual ~Poller() = default;

  // Starts watching `fd`. The token comes back in each Event of this
  // registration; no two live registrations share one. A condition that already
  // holds is reported by the next Wait, with every trigger.
  // InvalidArgument: fd is not open, or the token is not one to hand out.
  // AlreadyExists: fd is registered.
  // OutOfRange: fd > max_fd. ResourceExhausted: max_descriptors, or the kernel
  // has no room. Unimplemented: a trigger, or a kind of descriptor, that
  // capabilities() does not claim (a regular file where `any_fd` is false).
  virtual absl::Status Add(int fd, Token token, Interest interest) = 0;

  // Replaces the interest and re-arms kOneshot. A condition that holds is
  // reported again by the next Wait, with every trigger.
  // NotFound: no such registration. InvalidArgument: fd is no longer open.
  // ResourceExhausted, Unimplemented: as Add. What was registered stays as it
  // was then.
  virtual absl::Status Modify(int fd, Token token, Interest interest) = 0;

  // Stops watching. No later Wait returns `token`, even if its event was
  // already queued. Call it before close(fd); a later call still works.
  // NotFound: no such registration.
  virtual absl::Status Remove(int fd, Token token) = 0;

  // Returns when something is ready, after a Wake, or at `deadline`: never
  // before it, and as soon after it as the kernel allows. A past deadline polls
  // without waiting; Instant::Infinite() waits for ever. Interruptions by
  // signals are not seen by the caller. Reports at most events.size() (>= 1)
  // events, each registration at most once; what did not fit is reported by the
  // next Wait, and no ready descriptor is passed over for ever.
  // InvalidArgument: no room for an event. Any other Status: the poller is
  // broken; end the loop.
  virtual absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                          Instant deadline) = 0;

  // Thread-safe and async-signal-safe. Makes the running Wait, or else the next
  // one, return with `woken`. Wakes that come before that return are one wake.
  // Memory ordering: what the caller did before Wake() is visible after the
  // Wait that reports it.
  virtual void Wake() = 0;

  // Immutable after construction.
  virtual const Capabilities& capabilities() const = 0;

  // What a poller that claims `completion` has beside the above; see
  // poller/completions.h. Null for all others. The same for good.
  virtual Completions* completions() { return nullptr; }
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_POLLER_H_
