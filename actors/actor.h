// SPDX-License-Identifier: Apache-2.0
//
// Actor: derive from it, and write an On() for each message that it takes.
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
// On() handles one message at a time, on the actor's own loop, so its members
// need no locks. It may return
//   void               an ask resolves to OK
//   R                  the reply
//   absl::Status,      the reply, or the error that an ask resolves to; an
//   absl::StatusOr<R>  error counts as failed in the ledger
//   Task<any of them>  the same from a coroutine; the next message waits until
//                      it has finished, unless the actor is interleaved
//   MaybeTask<...>     a result or a Task (actors/maybe_task.h)
// An actor is interleaved if its class has this line. It then handles its next
// message while a coroutine handler waits in a co_await:
//
//   static constexpr bool kInterleaved = true;
//
// An exception that leaves On() ends this actor and no other. So does one that
// a message or a reply throws when On() takes or returns it. A handler that
// starts a process uses WithMainsSignals() (actors/mains_signals.h).
//
// What each verb does at each moment of the actor's life:
//
//   C  the constructor, on the thread of the spawner
//   R  OnStart(), a handler (a resumed one too), a task, OnDrain()
//   S  OnStop(), which runs if OnStart() has returned
//   D  the destructor       -  an object that was not made by Spawn()
//
//   Self, address    C R S D  its address       -  an empty one
//   context          C        pass it on, as to a Stream; do not use it
//                    R S D    that of its loop  -  ends the program
//   Stop             C        it never starts   R  ends it    S D -  nothing
//   TellAfter        C R      timed from now
//                    S        cancelled at once  D -  nothing, and the id is 0
//   CancelTimer      C R S D  cancels             -  nothing
//   RunInBackground  C        begins after OnStart()   R  begins
//                    S        runs until it waits, and is cancelled
//                    D -      destroys the task
//   Spawn            C R S D  by default on its own loop; Unavailable when that
//                             loop has begun to end
//                    -        FailedPrecondition
//   Ref::Tell, TellWith, AskThen   R S D   sent by this actor
//                    C        if it is to itself, handled after OnStart()
//   TellLast         R S D    the first passes a full mailbox  C  as Tell
//   Ref::Ask, AskWhenRoom, Send, SendWithin   C   FailedPrecondition
//   Ref::AskAndWait  R S D    FailedPrecondition: it would stop the loop
//   HoldMailbox      in a handler; elsewhere it throws std::logic_error
//   exit_reason      S D      why it ends   C R -  kUnknown
//   sender, deadline, trace, SetTrace, is_ask, askers   of the message in hand
//
// Ownership: the bus owns it.
// Threads:   constructed by the thread of the spawner; the rest on its loop. On
//            another thread a verb ends the program, with the reason on
//            standard error. For address() and the message in hand only builds
//            with assert check it.
// Bounds:    SpawnOptions::mailbox_capacity messages.
// Ends:      Stop(), Ref::Stop(), an exception, or the bus's shutdown. Then its
//            coroutines are cancelled, OnStop() runs, and it is destroyed.

#ifndef TROLLEY_ACTORS_ACTOR_H_
#define TROLLEY_ACTORS_ACTOR_H_

#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "trolley/actors/context.h"
#include "trolley/actors/internal/actor_class_of.h"
#include "trolley/actors/internal/ref_access.h"
#include "trolley/actors/internal/sleep.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/task.h"
#include "trolley/bus/loop/envelope_ptr.h"
#include "trolley/bus/loop/pending_spawn.h"
#include "trolley/bus/loop/scheduled_message.h"
#include "trolley/bus/mailbox/actor_base.h"

namespace trolley {

// Names a message of TellAfter, for CancelTimer.
struct TimerId {
  uint64_t value = 0;
};

class Actor : public internal::ActorBase {
 protected:
  // The Ref of this actor: Self(this).
  template <typename A>
  static Ref<A> Self(const A* self) {
    const Actor* actor = self;
    return Ref<A>(actor->address());
  }
  Address address() const;

  // Ends this actor when the running handler has returned.
  void Stop();

  // Sends `message` to this actor, `after` from now or later, never earlier. A
  // full mailbox does not refuse it.
  //   timer_ = TellAfter(this, absl::Seconds(1), Tick{});
  //   timer_ = TellAfter<Tick>(this, absl::Seconds(1), args...);   // in place
  template <int&... kDeduced, typename A, typename X>
  TimerId TellAfter(A* self, absl::Duration after, X&& message) {
    using M = typename internal::SentWhole<A, X>::Type;
    return TellAfter<M>(self, after, std::forward<X>(message));
  }
  template <typename M, typename A, typename... Args>
  TimerId TellAfter(A* self, absl::Duration after, Args&&... args) {
    static_assert(sizeof(internal::ActorHandles<A, M>) > 0);
    static_assert(sizeof(internal::MessageFrom<M, Args...>) > 0);
    Actor& actor = *self;
    if (!actor.begins_things()) return {};
    internal::EnvelopePtr e =
        actor.NewEnvelopeToSelf(internal::Envelope::BytesFor<M>());
    e->Emplace<M>(std::forward<Args>(args)...);
    e->ops = &internal::Handler<A, M>::kOps;
    return {actor.SendAfter(after, std::move(e))};
  }
  // True: the message will not come. False: it has come, or was cancelled. Its
  // cost grows with the number of this actor's armed timers.
  bool CancelTimer(TimerId id);

  // co_await Sleep(d): the handler goes on after `d`, or later.
  internal::SleepAwaiter Sleep(absl::Duration d) const {
    return context().Sleep(d);
  }

  // For an interleaved actor: the next message waits from now on until this
  // coroutine handler has finished. A call where no coroutine handles a message
  // ends the actor, with the reason in the log.
  void HoldMailbox();

  // Runs `task` beside the handlers: while it waits, the actor handles
  // messages. An exception or an error of the task ends the actor. The end of
  // the actor cancels it. Pass a lambda itself, which is kept, and not the Task
  // that it returns: RunInBackground([this]() -> Task<absl::Status> { ... });
  void RunInBackground(Task<absl::Status> task);
  template <typename F>
  requires std::is_invocable_r_v<Task<absl::Status>, F&> void RunInBackground(
      F task) {
    RunInBackground(Keep(std::move(task)));
  }

  // Spawns an actor, by default on this actor's loop. Errors: as Bus::Spawn.
  template <typename A, typename... Args>
  absl::StatusOr<Ref<A>> Spawn(const SpawnOptions& options, Args&&... args) {
    static_assert(internal::CanBeSpawned<A, Args&&...>());
    internal::PendingSpawn* const construction = this->construction();
    if (cell() == nullptr && construction == nullptr) return NotOfABus();
    internal::PendingSpawn spawn(
        construction == nullptr ? own_loop().bus_pointer()
                                : construction->bus_pointer(),
        options, internal::ActorClassOf<A>(), construction);
    if (!spawn.ok() ||
        !spawn.Finish(std::make_unique<A>(std::forward<Args>(args)...))) {
      return spawn.status();
    }
    return Ref<A>(spawn.address());
  }

  // Tells `to` the last message of this actor, such as its end, in OnStop() or
  // just before Stop(). A full mailbox refuses only a second call.
  template <typename A, typename M>
  Delivery TellLast(const Ref<A>& to, M message) {
    if (!IsFirstTellLast()) return to.Tell(std::move(message));
    return internal::RefAccess::TellLast(to, std::move(message));
  }

  // In OnStop() and the destructor: why this actor ends.
  ExitReason exit_reason() const;

  // --- The message in hand ---
  // True: it is an ask, and the sender waits for the reply.
  bool is_ask() const;
  // Empty if a plain thread sent it, or no message is in hand.
  Address sender() const;
  // Infinite if it has none.
  Instant deadline() const;
  // Not valid() if it has none.
  TraceContext trace() const;
  // The actors that wait for the answer to it, outermost first, the sender
  // last: "<instance id of their bus>/<name>". A link passes them on, so that a
  // cycle of asks across processes is found.
  std::vector<std::string> askers() const;
  // Begins a trace: messages that this handler sends from now on are in it.
  void SetTrace(const TraceContext& trace);

  // What the actor may ask of its loop: the time, the log, timers.
  ActorContext context() const { return ContextAccess::Of(own_loop()); }

 private:
  internal::Cell* cell() const { return internal::CellOf(*this); }
  // Null, except while the constructor runs.
  internal::PendingSpawn* construction() const {
    return cell() == nullptr ? static_cast<internal::PendingSpawn*>(
                                   internal::ActorAccess::construction(*this))
                             : nullptr;
  }
  bool LivesOn(internal::Loop& loop) const;  // also false: of another bus
  // The loop of this actor. On another thread a call ends the program; on that
  // of another loop only in builds with assert.
  internal::Loop& loop() const {
    internal::Loop* current = internal::Loop::Current();
    if (cell() == nullptr || current == nullptr) [[unlikely]] {
      return LoopOfConstructor();
    }
    assert(LivesOn(*current) && "a verb on a thread that is not the actor's");
    return *current;
  }
  internal::Loop& own_loop() const {  // checked in every build
    internal::Loop* current = internal::Loop::Current();
    if (current == nullptr || cell() == nullptr) return LoopOfConstructor();
    if (current->current().cell == cell() || LivesOn(*current)) return *current;
    return LoopOfConstructor();
  }
  // False in the destructor, and without a bus: no timer or task can begin.
  bool begins_things() const {
    return cell() != nullptr ? cell()->actor != nullptr
                             : construction() != nullptr;
  }
  bool IsFirstTellLast();
  const internal::Envelope* InHand() const;
  internal::EnvelopePtr NewEnvelopeToSelf(size_t bytes);
  uint64_t SendAfter(absl::Duration after, internal::EnvelopePtr e);
  internal::Loop& LoopOfConstructor() const;
  static absl::Status NotOfABus();
  template <typename F>
  static Task<absl::Status> Keep(F task) {
    co_return co_await task();
  }
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_ACTOR_H_
