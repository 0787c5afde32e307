// SPDX-License-Identifier: Apache-2.0
//
// Signals: an actor gets signals of the process as messages.
//
//   class Config : public trolley::Actor {
//    public:
//     void OnStart() override {
//       absl::Status started = signals_.Start(this, {SIGHUP});
//     }
//     void On(const trolley::Signalled& m) { Reload(); }
//    private:
//     trolley::Signals signals_;
//   };
//
// For a main() that ends by a signal see run_until_signal.h.
//
// No signal is lost: one message waits in the mailbox for each signal, and it
// is followed by another one if the signal has come again. A full mailbox does
// not refuse it. The kernel itself merges signals: after a SIGCHLD an
// actor calls waitid() for each child of its own, and for no other. A
// ChildProcess (actors/child/child_process.h) needs no SIGCHLD.
//
// It works with every poller of a real process. On a simulated one (SimBus)
// Start() is an error: there the test sends a Signalled{.signal = SIGHUP}.
//
// Programs that this process starts see nothing of it. It installs a signal
// handler, which ends with exec. It blocks no signal. A child that was forked
// and has not called exec has the effects of before. Signals may come on any
// thread: a thread that makes system calls without this library may see EINTR,
// as with any handler, although most calls go on (SA_RESTART).
//
// Ownership: a member of the actor. It cannot be moved.
// Threads:   loop thread only: OnStart(), handlers and tasks of the actor.
// Bounds:    one actor for each signal in the process. Two descriptors for
//            each signal, which stay open until the process ends. One message
//            for each signal, beside SpawnOptions::mailbox_capacity.
// Ends:      Stop(), or with the actor: the signals have the effects of before.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_SIGNALS_H_
#define TROLLEY_ACTORS_BEHAVIOUR_SIGNALS_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "trolley/actors/behaviour/internal/actor_verbs.h"
#include "trolley/actors/behaviour/internal/one_in_flight.h"
#include "trolley/actors/context.h"

namespace trolley {

namespace internal {
class WatchedSignal;
}  // namespace internal

// A signal has come.
struct Signalled {
  int signal = 0;  // its number, such as SIGHUP
  // How often it has come since the message before this one; a count.
  uint64_t times = 1;
  internal::OneInFlight::Token in_flight = {};
};

class Signals {
 public:
  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  // From now on each of `signals` is a message to `owner`, the actor that this
  // is a member of. Those of an earlier Start() are not any more.
  //
  //   OK                  all of them
  //   InvalidArgument     one cannot be caught; the text says which can
  //   AlreadyExists       another Signals or RunUntilSignal() has one
  //   ResourceExhausted   no descriptor is left
  //   other               of the poller
  //
  // After an error none of them is.
  template <typename A>
  absl::Status Start(A* owner, const std::vector<int>& signals) {
    using Verbs = internal::ActorVerbs;
    tell_ = [owner](Signalled message) {
      Verbs::TellSoon(owner, std::move(message));
    };
    return Begin(Verbs::ContextOf(*owner), signals);
  }

  // No signal is a message any more. A message that waits in the mailbox still
  // comes.
  void Stop();

 private:
  absl::Status Begin(ActorContext context, const std::vector<int>& signals);

  absl::AnyInvocable<void(Signalled)> tell_;
  std::vector<std::unique_ptr<internal::WatchedSignal>> watched_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_SIGNALS_H_
