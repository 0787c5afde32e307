// SPDX-License-Identifier: Apache-2.0
//
// ActorContext: what an actor may ask of the loop that it lives on. An actor
// gets its own by Actor::context():
//
//   const trolley::Instant now = context().Now();
//   context().Log(absl::StrCat("retry in ", absl::FormatDuration(pause)));
//   trolley::Stream stream(context(), std::move(fd));
//
// A value of one pointer. Copy it into the parts of an actor that need it.
//
// Ownership: borrows the loop, which outlives its actors.
// Threads:   loop thread only: the thread of that loop. In the constructor of
//            an actor it may be passed on, as in a Stream, and not be used.
// Ends:      with its actor.

#ifndef TROLLEY_ACTORS_CONTEXT_H_
#define TROLLEY_ACTORS_CONTEXT_H_

#include <signal.h>

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/actors/internal/sleep.h"
#include "trolley/bus/loop/loop.h"
#include "trolley/bus/timer.h"
#include "trolley/bus/watcher.h"
#include "trolley/poller/instant.h"
#include "trolley/poller/sys.h"

namespace trolley {

class ActorContext {
 public:
  // Of the loop that the calling thread runs; nullopt on other threads.
  static std::optional<ActorContext> OfThisThread() {
    internal::Loop* loop = internal::Loop::Current();
    if (loop == nullptr) return std::nullopt;
    return ActorContext(*loop);
  }

  // The time of the bus's clock (TestOptions::clock).
  Instant Now() const { return loop_->Now(); }
  // The system calls of the bus (TestOptions::sys).
  Sys& sys() const { return loop_->bus().sys(); }

  // The signal mask that the thread which created the bus had at that time
  // (actors/mains_signals.h).
  const sigset_t& mains_signals() const { return loop_->bus().mains_signals(); }

  // The index of this loop, and how many loops the bus has.
  int loop_index() const { return static_cast<int>(loop_->index()); }
  int loops() const { return static_cast<int>(loop_->bus().loops()); }
  // Names this run of the program (TestOptions::instance_id); not 0.
  uint64_t instance_id() const { return loop_->bus().instance_id(); }

  // Writes a line to the log of the bus. It never blocks. LogOptions limits the
  // lines of one call site for each `source`: what caused the line, such as a
  // peer.
  void Log(absl::string_view line, absl::string_view source = "",
           LogKind kind = LogKind::Here()) const {
    loop_->bus().Log(line, source, kind);
  }

  // co_await context.Sleep(d): the handler goes on after `d`, or later.
  internal::SleepAwaiter Sleep(absl::Duration d) const {
    return internal::SleepAwaiter(*loop_, Now() + d);
  }
  // Arms `timer`, or moves it if it is armed. Infinite disarms it.
  void SetTimer(Timer& timer, Instant deadline) const {
    loop_->timers().Set(timer, deadline);
  }

  // Calls watcher.OnReady() each time `fd` is ready. Errors: as Poller::Add
  // (poller/poller.h). Call Unwatch() before you close `fd`; after it `watcher`
  // is not called.
  absl::StatusOr<Token> Watch(int fd, Interest interest,
                              Watcher& watcher) const {
    return loop_->descriptors().Watch(fd, interest, &watcher);
  }
  void Unwatch(Token token) const { loop_->descriptors().Unwatch(token); }

  // True: messages wait for actors of this loop. A coroutine that has much to
  // do may give way to them by `co_await Sleep(absl::ZeroDuration())`.
  bool others_wait() const { return loop_->has_work(); }

  // For an actor that is a link: whether it takes messages now. While it does
  // not, a Tell to a Remote of this link is Delivery::kNotConnected at once, on
  // any thread. A new link takes messages.
  void SetConnected(bool connected) const {
    loop_->bus().SetConnected(loop_->current().self, connected);
  }

 private:
  friend struct ContextAccess;
  explicit ActorContext(internal::Loop& loop) : loop_(&loop) {}

  internal::Loop* loop_;
};

// For the library only.
struct ContextAccess {
  static ActorContext Of(internal::Loop& loop) { return ActorContext(loop); }
  static internal::Loop& loop(const ActorContext& context) {
    return *context.loop_;
  }
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_CONTEXT_H_
