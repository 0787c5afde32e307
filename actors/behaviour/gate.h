// SPDX-License-Identifier: Apache-2.0
//
// Gate: coroutine handlers wait here, in their order, until their actor is
// ready. So an actor keeps asks that it cannot answer yet. It keeps what is
// told in a Stash (actors/behaviour/stash.h), or here too.
//
//   class Store : public trolley::Actor {
//    public:
//     static constexpr bool kInterleaved = true;
//     trolley::Task<absl::StatusOr<Row>> On(Get m) {
//       absl::Status entered = co_await gate_.Enter();
//       if (!entered.ok()) co_return entered;   // the reply
//       co_return Find(m.key);
//     }
//     void On(const Opened&) { gate_.Open(); }
//     void On(const Broken& m) { gate_.Refuse(m.why); }
//     void OnDrain() override {
//       gate_.Refuse(absl::UnavailableError("the store is not open"));
//     }
//    private:
//     trolley::Gate gate_;   // closed at first
//   };
//
// The actor is interleaved, or what opens the gate is no message: otherwise the
// message that opens it waits behind the handler.
//
// Coroutines pass the gate in the order in which they came, also if it closes
// and opens in between. One that comes while others still wait goes behind
// them.
//
//   co_await Enter() gives   when
//   OK                       the gate is open, and all that came before have
//                            passed
//   ResourceExhausted        GateOptions::max_waiting coroutines wait
//   the status of Refuse()   Refuse() was called while it waited
//   Cancelled                the gate was destroyed while it waited, such as
//                            with a state (actors/behaviour/states.h)
//
//   what else may happen     the ask that waits
//   its deadline passes, or  its handler is cancelled, and its place is free
//   its asker has gone       (docs/guarantees.md, P6)
//   the actor ends           fails with NotFound, as each ask of the actor
//   the bus shuts down       is waited for, as each ask under way: so call
//   Stop(true)               Refuse() in OnDrain(); Stop(true) does not call it
//
// The asks that wait hold credits of the mailbox. At half of its capacity a
// further ask is ResourceExhausted, whatever max_waiting is (P6).
//
// Ownership: a member of the actor, or of an object of it. It cannot be moved.
// Threads:   loop thread only. The constructor: that of the actor.
// Bounds:    GateOptions. At most kAtOnce coroutines pass before other work of
//            the loop goes on; so many may still pass when one of them stops
//            the actor.
// Ends:      the destructor. The coroutines that wait go on with Cancelled.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_GATE_H_
#define TROLLEY_ACTORS_BEHAVIOUR_GATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/context.h"
#include "trolley/bus/timer.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

struct GateOptions {
  // Coroutines that wait at one time; a count. 0: none may wait. 512: half of
  // the capacity of a mailbox, and so all asks that may wait there.
  uint32_t max_waiting = 512;
};

class Gate : private Timer {
 public:
  class Entry;
  static constexpr int kAtOnce = 64;  // coroutines; a count

  // A closed gate.
  explicit Gate(const GateOptions& options = {}) : options_(options) {}
  ~Gate() override {
    // mutant: P6_ThoseAtAGateThatIsDestroyedWaitForEver
    EndLine(absl::CancelledError("the gate was destroyed"));
  }

  // co_await gate.Enter() gives an absl::Status: see above. A co_await where no
  // coroutine handles a message, and is no task, ends the actor, with the
  // reason in the log.
  Entry Enter();

  // Lets the coroutines that wait pass, and those that come later. The first of
  // them goes on later, from the loop's timers; the caller goes on first.
  void Open() {
    line_->open = true;
    if (!line_->waiters.empty()) Arm();
  }
  // Lets no further coroutine pass. Those that wait keep their order.
  void Close() { line_->open = false; }
  // The coroutines that wait go on with `why`, which is an error; an OK becomes
  // Cancelled. The gate stays open or closed, as it was.
  void Refuse(absl::Status why) {
    const bool open = line_->open;
    EndLine(std::move(why));
    line_ = std::make_shared<Line>();
    line_->open = open;
  }

  bool is_open() const { return line_->open; }
  uint32_t waiting() const { return line_->waiting; }  // coroutines; a count

 private:
  // The coroutines that came since the last Refuse(). They share it: the gate
  // may be gone when they go on.
  struct Line {
    AsyncCondition waiters;
    uint32_t waiting = 0;
    bool open = false;
    std::optional<absl::Status> end;  // what they get: it is over
  };

  void EndLine(absl::Status why) {
    if (why.ok()) why = absl::CancelledError("the gate refused");
    line_->end = std::move(why);
    line_->waiters.Notify();
  }

  void Arm() {
    const ActorContext context = *ActorContext::OfThisThread();
    context.SetTimer(*this, context.Now());
  }
  // A coroutine that goes on may close the gate, refuse the others, or destroy
  // this.
  void OnTimer() override {
    const std::shared_ptr<Line> line = line_;
    const auto next = [&line] {
      // mutant: P1_AGateThatClosesLetsTheOthersPass
      return !line->end.has_value() && line->open && !line->waiters.empty();
    };
    // mutant: P7_AllPassAGateInOneTurn
    for (int i = 0; i < kAtOnce && next(); ++i) line->waiters.ResumeOne();
    if (next()) Arm();
  }

  const GateOptions options_;
  std::shared_ptr<Line> line_ = std::make_shared<Line>();
};

// What Enter() returns; awaited once, at once.
class [[nodiscard]] Gate::Entry {
 public:
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() { Leave(); }

  bool await_ready() {
    if (line_->end.has_value()) return true;
    // mutant: P1_ANewcomerPassesThoseThatWaitAtAGate
    if (line_->open && line_->waiters.empty()) return true;
    // mutant: P6_AGateTakesAnyNumber
    full_ = line_->waiting >= most_;
    return full_;
  }
  void await_suspend(std::coroutine_handle<> at) {
    waiter_.await_suspend(at);
    waits_ = true;
    ++line_->waiting;
  }
  absl::Status await_resume() {
    Leave();
    if (full_) {
      return absl::ResourceExhaustedError(
          absl::StrCat(line_->waiting,
                       " coroutines wait at the gate, and "
                       "GateOptions::max_waiting is ",
                       most_));
    }
    return line_->end.value_or(absl::OkStatus());
  }

 private:
  friend class Gate;
  Entry(std::shared_ptr<Line> line, uint32_t most)
      : line_(std::move(line)), most_(most), waiter_(line_->waiters.Wait()) {}

  void Leave() {
    // mutant: P6_APlaceAtAGateIsNotGivenBack
    if (std::exchange(waits_, false)) --line_->waiting;
  }

  const std::shared_ptr<Line> line_;
  const uint32_t most_;
  AsyncCondition::Waiter waiter_;
  bool waits_ = false;
  bool full_ = false;
};

inline Gate::Entry Gate::Enter() { return Entry(line_, options_.max_waiting); }

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_GATE_H_
