// SPDX-License-Identifier: Apache-2.0
//
// IdleTimeout: an actor is told that nothing has happened for a while.
//
//   class Session : public trolley::Actor {
//    public:
//     void OnStart() override { idle_.Start(this, absl::Minutes(5)); }
//     void On(const Request& m) {
//       idle_.Touch();
//       ...
//     }
//     void On(const trolley::Idle&) {
//       if (idle_.expired()) Stop();
//     }
//    private:
//     trolley::IdleTimeout idle_;
//   };
//
// The actor says what counts, by Touch(): so a health check need not. A Touch()
// reads the clock and sets no timer, except the first one after an Idle.
//
// The Idle waits in the mailbox behind the messages that came before it. One of
// them may call Touch(), so the handler of Idle asks expired() first. If the
// mailbox is full, messages came: the Idle is tried again after one more limit,
// and 1 ms at least.
//
// Ownership: a member of the actor. It cannot be moved.
// Threads:   loop thread only: OnStart(), handlers and tasks of the actor.
// Bounds:    one timer, and one message in the mailbox for each Start() and
//            each Touch() after an Idle.
// Ends:      Stop(), or with the actor.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_IDLE_TIMEOUT_H_
#define TROLLEY_ACTORS_BEHAVIOUR_IDLE_TIMEOUT_H_

#include <algorithm>
#include <functional>
#include <optional>

#include "absl/time/time.h"
#include "trolley/actors/behaviour/internal/actor_verbs.h"
#include "trolley/actors/context.h"
#include "trolley/actors/ref.h"
#include "trolley/bus/delivery.h"
#include "trolley/bus/timer.h"
#include "trolley/poller/instant.h"

namespace trolley {

// The actor has called no Touch() for the limit.
struct Idle {};

class IdleTimeout : private Timer {
 public:
  IdleTimeout() = default;

  // From now on `owner`, the actor that this is a member of, gets an Idle when
  // it has called no Touch() for `limit`. It gets the next one after a further
  // Touch(). Another Start() begins anew. A `limit` of zero or less is over at
  // once. An infinite one never is.
  template <typename A>
  void Start(A* owner, absl::Duration limit) {
    using Verbs = internal::ActorVerbs;
    context_ = Verbs::ContextOf(*owner);
    tell_ = [to = Ref<A>(Verbs::AddressOf(*owner))] { return to.Tell(Idle{}); };
    limit_ = limit;
    touched_ = context_->Now();
    Arm();
  }

  // Something has happened. Before Start() and after Stop() it does nothing.
  void Touch() {
    if (!context_.has_value()) return;
    touched_ = context_->Now();
    if (!armed()) Arm();
  }

  // No Idle is sent any more. One that waits in the mailbox still comes, and
  // finds expired() false.
  void Stop() {
    Timer::Cancel();
    context_.reset();
  }

  // True: the last Touch() was at least the limit ago.
  bool expired() const {
    return context_.has_value() && context_->Now() >= touched_ + limit_;
  }

 private:
  static constexpr absl::Duration kRetry = absl::Milliseconds(1);

  void Arm() { context_->SetTimer(*this, touched_ + limit_); }
  void OnTimer() override {
    if (!expired()) return Arm();
    if (tell_() != Delivery::kFull) return;
    context_->SetTimer(*this, context_->Now() + std::max(limit_, kRetry));
  }

  std::optional<ActorContext> context_;  // null: it is stopped
  std::function<Delivery()> tell_;
  absl::Duration limit_;
  Instant touched_;  // when Touch() was last called
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_IDLE_TIMEOUT_H_
