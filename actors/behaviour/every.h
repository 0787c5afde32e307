// SPDX-License-Identifier: Apache-2.0
//
// Every: an actor gets a message at fixed points in time, again and again.
//
//   struct Flush {};   // names the ticks
//
//   class Store : public trolley::Actor {
//    public:
//     void OnStart() override {
//       absl::Status started =
//           flush_.Start(this, {.period = absl::Seconds(1)});
//     }
//     void OnDrain() override { flush_.Stop(); }
//     void On(const trolley::Tick<Flush>&) { Write(); }
//    private:
//     trolley::Every<Flush> flush_;
//   };
//
// The ticks do not drift: the k-th point is k periods after Start(), however
// long the handlers take. An actor with several rhythms has an Every and a name
// for each.
//
// The ticks do not pile up. At most one waits in the mailbox or is handled:
//
//   the loop was busy at several points   one tick comes; Tick::missed counts
//                                         the other points
//   the last tick has not been handled    no tick comes; the next one counts
//                                         this point as missed
//
// A full mailbox does not refuse a tick. A tick is handled before the messages
// that wait there, as that of TellAfter().
//
// A shutdown waits until no message is on its way. So call Stop() in OnDrain().
//
// Ownership: a member of the actor. It cannot be moved.
// Threads:   loop thread only: OnStart(), handlers, tasks and OnDrain().
// Bounds:    one timer, and one message beside SpawnOptions::mailbox_capacity.
// Ends:      Stop(), or with the actor.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_EVERY_H_
#define TROLLEY_ACTORS_BEHAVIOUR_EVERY_H_

#include <cstdint>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "trolley/actors/behaviour/every_options.h"
#include "trolley/actors/behaviour/internal/actor_verbs.h"
#include "trolley/actors/behaviour/internal/one_in_flight.h"
#include "trolley/actors/behaviour/internal/ticker.h"

namespace trolley {

// A point in time has come. An actor that keeps a Tick gets no further one.
template <typename Name>
struct Tick {
  uint64_t number = 0;  // of the point; that of the first one is 1
  uint64_t missed = 0;  // points since the tick before this one; a count
  internal::OneInFlight::Token in_flight;
};

template <typename Name>
class Every : private internal::Ticker {
 public:
  Every() = default;

  // Begins, or begins anew. `owner` is the actor that this is a member of; it
  // has a handler of Tick<Name>.
  //
  //   OK               the first tick comes at the first point
  //   InvalidArgument  an option is out of its range; the text names it. What
  //                    ran before goes on.
  template <typename A>
  absl::Status Start(A* owner, const EveryOptions& options) {
    using Verbs = internal::ActorVerbs;
    const ActorContext context = Verbs::ContextOf(*owner);
    tell_ = [owner](Tick<Name> tick) {
      Verbs::TellSoon(owner, std::move(tick));
    };
    return Begin(context, options,
                 context.instance_id() ^ Verbs::AddressOf(*owner).id().word());
  }

  // No point comes any more. A tick that waits in the mailbox still comes.
  using internal::Ticker::Stop;
  // True: another point will come.
  using internal::Ticker::running;

 private:
  void Tell(uint64_t number, uint64_t missed,
            internal::OneInFlight::Token token) override {
    tell_(Tick<Name>{
        .number = number, .missed = missed, .in_flight = std::move(token)});
  }

  absl::AnyInvocable<void(Tick<Name>)> tell_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_EVERY_H_
