// SPDX-License-Identifier: Apache-2.0
//
// Actor: derive from it, and write an On() for each message you take.
//
//   class Account : public trolley::Actor {
//    public:
//     explicit Account(int64_t cents) : cents_(cents) {}
//     void On(const Deposit& m) { cents_ += m.cents; }
//     int64_t On(const GetBalance&) { return cents_; }  // the reply
//    private:
//     int64_t cents_;
//   };
//
// On() takes one message at a time, on the actor's own loop, so its members
// need no locks. It may return
//   void               nothing to say; an ask resolves to OK
//   R                  the reply
//   absl::Status,      the reply, or the error an ask resolves to; an error
//   absl::StatusOr<R>  counts as failed in the ledger
//   Task<any of them>  the same from a coroutine; the actor takes its next
//                      message when it is over, unless it was spawned
//                      `interleaved`
//   MaybeTask<...>     one or the other, if it seldom has to wait
// An exception ends the actor, and nothing else: also one that a message or a
// reply throws as On() takes or returns it. What a message throws as it is sent
// is the sender's (actors/ref.h). A handler that starts a
// process does so by WithMainsSignals() (bus/mains_signals.h).
//
// Each verb works at every moment of an actor's life. The moments:
//
//   C  the constructor, on the thread of the spawner
//   R  OnStart(), a handler, one that was resumed, a task, OnDrain()
//   S  OnStop(), which runs if OnStart() had returned
//   D  the destructor
//   -  an object that no Spawn() has made an actor of a bus
//
//   Self, address    C R S D  its address        -  an empty one
//   loop             C        may be named, to make a Stream of it, not used
//                    R S D    its loop           -  ends the program
//   Stop             C        it never starts    R  ends it    S D -  nothing
//   TellAfter        C R      timed from now on
//                    S        cancelled at once  D -  nothing, and the id is 0
//   RunInBackground  C        begins when OnStart() has returned
//                    R        begins
//                    S        runs until it waits, and is cancelled
//                    D -      the task is destroyed
//   Spawn            C R S D  by default on its own loop; Unavailable once that
//                             loop has begun to end
//                    -        FailedPrecondition
//   Ref::Tell        C        handled after OnStart(), if it is to itself
//                    R S D    sent by it
//   Ref::Ask, Send   C        FailedPrecondition
//   sender, deadline, trace, SetTrace
//                    in a handler they speak of its message; else there is none
//
// Ownership: the bus owns it.
// Threads:   constructed by the thread of the spawner; the rest on its loop.
// Ends:      Stop(), Ref::Stop(), an exception, or the bus's shutdown; OnStop()
//            and the destructor follow. What it awaits is cancelled.

#ifndef TROLLEY_ACTORS_ACTOR_H_
#define TROLLEY_ACTORS_ACTOR_H_

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "trolley/actors/actor_class_of.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/sleep.h"
#include "trolley/actors/task.h"
#include "trolley/bus/actor_base.h"
#include "trolley/bus/bus.h"
#include "trolley/bus/scheduled_message.h"

namespace trolley {

// Names a message set by TellAfter, to cancel it.
struct TimerId {
  uint64_t value = 0;
};

class Actor : public ActorBase {
 protected:
  // The address of this actor: Self(this).
  template <typename A>
  static Ref<A> Self(const A* self) {
    const Actor* actor = self;
    return Ref<A>(actor->address());
  }
  Address address() const;

  // Ends this actor when the handler in hand has returned.
  void Stop();

  // Sends `message` to this actor itself, `after` from now: never early, and
  // never refused for want of room. TellAfter(this, absl::Seconds(1), Tick{}).
  // Or built from `args`: TellAfter<Tick>(this, absl::Seconds(1), args...).
  template <int&... kDeduced, typename A, typename X>
  TimerId TellAfter(A* self, absl::Duration after, X&& message) {
    using M = typename internal::SentWhole<A, X>::Type;
    return TellAfter<M>(self, after, std::forward<X>(message));
  }
  template <typename M, typename A, typename... Args>
  TimerId TellAfter(A* self, absl::Duration after, Args&&... args) {
    static_assert(sizeof(ActorHandles<A, M>) > 0);
    static_assert(sizeof(internal::MessageFrom<M, Args...>) > 0);
    Actor& actor = *self;
    if (!actor.begins_things()) return {};
    Envelope* e = actor.EnvelopeToSelf(Envelope::BytesFor<M>());
    internal::Fill<M>(
        e, [&] { actor.FreeToSelf(e); }, std::forward<Args>(args)...);
    e->type = &internal::Handler<A, M>::kType;
    return {actor.SendAfter(after, e)};
  }
  // True: the message will not come. It looks at each armed timer of this
  // actor.
  bool CancelTimer(TimerId id);

  // co_await Sleep(d): the handler goes on at least `d` later.
  internal::Sleeping Sleep(absl::Duration d) const {
    return internal::Sleeping(loop(), loop().Now() + d);
  }

  // From here on the coroutine handler in hand keeps the next message waiting
  // until it has finished, also if the actor is interleaved: what waits in the
  // mailbox costs less than a coroutine that waits. Where no coroutine handles
  // a message it is a mistake, and ends the actor (actors/misuse.h).
  void HoldMailbox();

  // Runs `task` beside the messages, which go on being handled while it waits.
  // An exception or an error in it ends the actor. Cancelled with the actor.
  // Of a lambda that captures something, give the lambda, which is then kept:
  //   RunInBackground([this, n]() -> Task<absl::Status> { ... });
  // The task of a lambda that has gone by then is a mistake no one sees.
  void RunInBackground(Task<absl::Status> task);
  template <typename F>
  requires std::is_invocable_r_v<Task<absl::Status>, F&> void RunInBackground(
      F task) {
    RunInBackground(Keep(std::move(task)));
  }

  // Spawns an actor, by default on this one's loop. As Bus::Spawn.
  template <typename A, typename... Args>
  absl::StatusOr<Ref<A>> Spawn(const SpawnOptions& options, Args&&... args) {
    if (cell_ == nullptr && birth_ == nullptr) return NotOfABus();
    Birth birth(cell_ != nullptr ? loop().bus_pointer() : birth_->bus_pointer(),
                options, ActorClassOf<A>(),
                cell_ == nullptr ? birth_ : nullptr);
    if (!birth.status().ok()) return birth.status();
    absl::StatusOr<Address> spawned =
        birth.Finish(std::make_unique<A>(std::forward<Args>(args)...));
    if (!spawned.ok()) return spawned.status();
    return Ref<A>(*std::move(spawned));
  }

  // Of the message in hand. The sender is nobody if it was a plain thread.
  Address sender() const;
  Instant deadline() const;
  TraceContext trace() const;
  // Begins a trace: what is sent from now on because of this message is in it.
  void SetTrace(const TraceContext& trace);

  // The loop this actor lives on: descriptors, timers, the clock. In the
  // constructor it may be named, and not be used. A program that calls it in an
  // object of no bus, or on another thread, is ended, with a word on why.
  Loop& loop() const {
    Loop* current = Loop::Current();
    if (cell_ == nullptr || current == nullptr) [[unlikely]] {
      return LoopOfConstructor();
    }
    return *current;
  }

 private:
  // Whether timers and tasks can begin: not in the destructor, nor without bus.
  bool begins_things() const {
    return cell_ != nullptr ? cell_->actor != nullptr : birth_ != nullptr;
  }
  const Envelope* InHand() const;
  Envelope* EnvelopeToSelf(size_t bytes);
  uint64_t SendAfter(absl::Duration after, Envelope* e);
  Loop& LoopOfConstructor() const;
  static absl::Status NotOfABus();
  void FreeToSelf(Envelope* e);
  template <typename F>
  static Task<absl::Status> Keep(F task) {
    co_return co_await task();
  }
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_ACTOR_H_
