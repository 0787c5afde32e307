// SPDX-License-Identifier: Apache-2.0
//
// Poller: waits until a descriptor is ready or another thread calls Wake(). It
// is the lowest layer of the bus. Implement it to run a loop on an I/O model of
// your own: override the six pure virtual methods. The seventh method,
// completions(), has a default. Timers, signals and messages are not its
// business; the layers above do those.
//
// What a loop does with a poller:
//
//   poller->Add(fd, token, {.ready = Ready::kReadable});
//   for (;;) {
//     WaitResult r = *poller->Wait(absl::MakeSpan(events), next_timer);
//     for (Event& e : span(events, r.events)) Dispatch(e.token, e.ready);
//     if (r.woken) TakeMessages();
//   }
//   poller->Remove(fd, token);  // before close(fd)
//
// Ownership: the loop owns its poller. The poller borrows the descriptors: the
//            caller of Add() calls Remove() and then closes the descriptor.
// Threads:   the constructor runs on any thread. Add, Modify, Remove and Wait
//            are called by one thread only, the loop's. Wake() is thread-safe.
// Bounds:    Capabilities::max_fd and Capabilities::max_descriptors.
// Ends:      the loop destroys it after the last Wait(), when no thread can
//            call Wake() any more (bus/crossing/handoff.h waits for that).
//
// The test suite //tests/poller:conformance checks an implementation against
// this page.

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
  size_t events = 0;       // number of entries of the span that were filled
  bool woken = false;      // Wake() was called, once or several times
  bool completed = false;  // Completions::TakeCompleted() has an operation
};

class Completions;

class Poller {
 public:
  virtual ~Poller() = default;

  // Starts watching `fd`. Each Event of this registration carries `token`; the
  // caller never uses one token for two registrations at a time. If a condition
  // already holds, the next Wait reports it, with every trigger.
  //
  //   InvalidArgument    fd is not open, or the token's slot is kReservedSlot
  //   AlreadyExists      fd is registered
  //   OutOfRange         fd > Capabilities::max_fd
  //   ResourceExhausted  max_descriptors is reached, or the kernel has no room
  //   Unimplemented      capabilities() does not offer this trigger or this
  //                      kind of descriptor (a regular file without `any_fd`)
  virtual absl::Status Add(int fd, Token token, Interest interest) = 0;

  // Replaces the interest and re-arms kOneshot. If a condition holds, the next
  // Wait reports it again, with every trigger. After an error the registration
  // is as it was before.
  //
  //   NotFound           there is no such registration
  //   InvalidArgument    fd is no longer open
  //   ResourceExhausted  as for Add
  //   Unimplemented      as for Add
  virtual absl::Status Modify(int fd, Token token, Interest interest) = 0;

  // Stops watching. No later Wait returns `token`, even if an event of it was
  // already queued. Call it before close(fd); after close(fd) it still works.
  //
  //   NotFound           there is no such registration
  virtual absl::Status Remove(int fd, Token token) = 0;

  // Waits, and returns for one of four reasons: a descriptor is ready, Wake()
  // was called, an operation completed, or `deadline` has passed. A Wait that
  // ends because of `deadline` ends after it, as soon as the kernel allows.
  // With a deadline in the past it does not wait; with Instant::Infinite() it
  // has no deadline. A signal does not end it.
  //
  // It fills at most events.size() entries, at most one per registration. The
  // next Wait reports those that did not fit. No ready descriptor is left out
  // for ever.
  //
  //   InvalidArgument    events is empty
  //   any other          the poller is broken: the caller must end its loop
  virtual absl::StatusOr<WaitResult> Wait(absl::Span<Event> events,
                                          Instant deadline) = 0;

  // Makes the running Wait return with `woken`; if none runs, the next one.
  // Several calls before that return count as one. Thread-safe and
  // async-signal-safe.
  // Memory ordering: what a thread did before Wake() is visible to the loop
  // after the Wait that returned `woken`.
  virtual void Wake() = 0;

  // What this poller can do. Immutable after construction.
  virtual const Capabilities& capabilities() const = 0;

  // The second interface of a poller with Capabilities::completion; see
  // poller/completions.h. Null for all other pollers. Never changes.
  virtual Completions* completions() { return nullptr; }
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_POLLER_H_
