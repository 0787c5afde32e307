// SPDX-License-Identifier: Apache-2.0
//
// Loop: one thread around one poller. A turn, in this order:
//
//   1. take what other loops and threads handed over
//   2. fire the timers that are due
//   3. one step of long work
//   4. wake the coroutines whose replies have come, then run slices of actors
//   5. hand over what was sent to other loops
//   6. every LoopOptions::turns_between_polls turns, look at the descriptors
//
// If nothing is left to do, the loop gives back what others could use, arms its
// hand-off and sleeps in the poller until an event, a timer or a wake. A
// message that was sent during a turn to an actor of the same loop may be
// handled in that turn. A timer that comes due waits for the turn in hand (P7).
//
// A loop has these parts, each with a header of its own:
//
//   MessageRouter     sends messages, and ends them
//   ActorGuard        runs code of actors, and catches what it throws
//   CoroutineRunner   handlers that wait
//   ActorLifecycle    starts and ends actors
//   ActorRunner       slices
//   LoopInspector     what LoopInfo and ActorInfo say
//
// Ownership: the bus owns its loops; a loop owns its poller and its actors.
// Threads:   loop thread only, except: Current(), Post() and PostWork() are
//            thread-safe; the constructor and the destructor run on any thread.
// Bounds:    LoopOptions.
// Ends:      End() ends its actors and refuses what comes later; Run() returns.

#ifndef TROLLEY_BUS_LOOP_LOOP_H_
#define TROLLEY_BUS_LOOP_LOOP_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "trolley/bus/crossing/bus_state.h"
#include "trolley/bus/loop/actor_guard.h"
#include "trolley/bus/loop/actor_lifecycle.h"
#include "trolley/bus/loop/actor_runner.h"
#include "trolley/bus/loop/coroutine_runner.h"
#include "trolley/bus/loop/descriptors.h"
#include "trolley/bus/loop/expiry.h"
#include "trolley/bus/loop/loop_clock.h"
#include "trolley/bus/loop/loop_inspector.h"
#include "trolley/bus/loop/message_router.h"
#include "trolley/bus/loop/stepped_work.h"
#include "trolley/bus/loop/timer_queue.h"
#include "trolley/bus/message/control_envelope.h"

namespace trolley::internal {

class Loop {
 public:
  // Other threads give it to a loop, which calls it on its own thread.
  using Command = absl::AnyInvocable<void(Loop&)>;
  // The same in steps; false: that was the last one.
  using Work = absl::AnyInvocable<bool(Loop&)>;

  Loop(BusState::Ptr bus, uint32_t index, std::unique_ptr<Poller> poller);
  ~Loop();

  // The loop that the calling thread is running; null on other threads.
  static Loop* Current() { return current_; }

  // Runs turns until End().
  void Run();
  // One turn that does not sleep. False: there was nothing to do.
  bool RunOnce();
  // Call it before a sleep: gives back what others could use, then calls the
  // WhenIdle callbacks. True: there is work again, so run another turn first.
  bool PrepareToSleep();
  // Ends every actor that is left and closes the hand-off. Idempotent.
  void End();
  bool ended() const { return ended_; }

  // Thread-safe. Queues a command. False: the loop has ended. A command that
  // will not be called is destroyed, by this thread or by the loop's.
  static bool Post(LoopInbox& inbox, Command command) {
    return Post(inbox, ActorId(), std::move(command));
  }
  // The same for a control message about `target`. It does not wait for the end
  // of the turn, as MessageRouter::Send() does.
  template <typename T>
  static bool Post(LoopInbox& inbox, ActorId target, T payload) {
    Envelope* e = EnvelopePool::GetFromHeap(Envelope::BytesFor<T>());
    ControlEnvelope(e, target, std::move(payload));
    if (inbox.Deliver(e, e)) return true;
    e->ops->drop(e);
    EnvelopePool::PutToHeap(e);
    return false;
  }
  // The same for work in steps of one turn each (SteppedWork).
  static bool PostWork(LoopInbox& inbox, Work work);
  // Calls `callback` when nothing is left to do, just before the loop sleeps.
  void WhenIdle(Command callback) {
    idle_callbacks_.push_back(std::move(callback));
  }

  BusState& bus() { return *bus_; }
  const BusState::Ptr& bus_pointer() const { return bus_; }
  uint32_t index() const { return inbox_.index; }
  LoopInbox& inbox() { return inbox_; }
  const LoopOptions& options() const { return options_; }
  const Capabilities& capabilities() const { return poller_->capabilities(); }
  // mutant: P18_TimeGoesOnByItself
  Instant Now() const { return clock_.Now(); }
  LoopClock& clock() { return clock_; }
  TimerQueue& timers() { return timers_; }
  Descriptors& descriptors() { return descriptors_; }
  // Messages wait that this loop knows of.
  bool has_work() {
    return !router_.run_queue().empty() || !router_.replies().empty();
  }

  const Activation& current() const { return router_.current(); }
  MessageRouter& router() { return router_; }
  ActorGuard& guard() { return guard_; }
  CoroutineRunner& coroutines() { return coroutines_; }
  ActorLifecycle& lifecycle() { return lifecycle_; }
  ActorRunner& runner() { return runner_; }
  const Expiry& expiry() const { return expiry_; }
  const LoopInspector& inspector() const { return inspector_; }

 private:
  bool TakeHandedOver();
  void Watch(Envelope* e);
  void Drop(Envelope* e);
  void DropActor(Envelope* e, ExitReason::Kind why);
  size_t Poll(Instant deadline);
  bool SpinForWork();
  void Sleep();
  // Makes this the loop that the thread runs; returns the one before.
  Loop* Enter();
  static void Leave(Loop* outer);

  static thread_local constinit Loop* current_;

  const BusState::Ptr bus_;
  LoopInbox& inbox_;
  const LoopOptions options_;
  LoopClock clock_;
  std::unique_ptr<Poller> poller_;
  TimerQueue timers_;
  Descriptors descriptors_;

  // In this order: each uses those above it. Only Expiry uses one below it:
  // CoroutineRunner, to end what has expired.
  SteppedWork stepped_work_;
  Expiry expiry_{
      inbox_.cells, clock_, timers_, stepped_work_, options_.messages_per_turn,
      coroutines_};
  MessageRouter router_{*bus_, inbox_, expiry_, options_.max_pending_asks};
  ActorGuard guard_{*bus_, router_};
  CoroutineRunner coroutines_{router_, guard_, expiry_};
  ActorLifecycle lifecycle_{*bus_, router_, guard_, coroutines_, timers_};
  ActorRunner runner_{options_,    clock_,     router_, guard_,
                      coroutines_, lifecycle_, expiry_};
  const LoopInspector inspector_;

  Envelope* taken_ = nullptr;  // of the hand-off, behind a command that runs
  std::vector<Command> idle_callbacks_;
  std::vector<Event> events_;
  uint32_t turns_since_poll_ = 0;
  uint32_t failed_spins_ = 0;
  bool ended_ = false;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_LOOP_H_
