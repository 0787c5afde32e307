// SPDX-License-Identifier: Apache-2.0
//
// ActorState: where an actor is in its life, and the flags that the loop tests
// for each message. The flags are one byte, so that one test asks for several.
//
// Ownership: part of a cell.
// Threads:   loop thread only.

#ifndef TROLLEY_BUS_MAILBOX_ACTOR_STATE_H_
#define TROLLEY_BUS_MAILBOX_ACTOR_STATE_H_

#include <cstdint>

namespace trolley::internal {

class ActorState {
 public:
  enum class State : uint8_t {
    kFree,      // no actor lives here
    kReserved,  // messages have come before their actor
    kStarting,  // OnStart() has not run
    kRunning,
    kStopping,  // ends when the running handler has returned
    kDraining,  // ends when its mailbox is empty
  };

  State state() const { return state_; }
  void set_state(State state) {
    state_ = state;
    Set(kNotRunning, state != State::kRunning);
    Set(kReserved, state == State::kReserved);
  }

  // It is in the run queue, or has its slice.
  bool runnable() const { return Has(kRunnable); }
  void set_runnable(bool runnable) { Set(kRunnable, runnable); }

  // It takes no message, because a handler is suspended.
  bool busy() const { return Has(kBusy); }
  void set_busy(bool busy) { Set(kBusy, busy); }

  // Says whether its control lane or its urgent lane has messages.
  void set_urgent(bool urgent) { Set(kUrgent, urgent); }

  // Its suspended handlers have as many asks as is allowed.
  bool takes_no_asks() const { return Has(kNoAsks); }
  void set_takes_no_asks(bool none) { Set(kNoAsks, none); }

  // Overflow::kDropOldest: messages that are too many are dropped.
  bool trims() const { return Has(kTrims); }
  void set_trims(bool trims) { Set(kTrims, trims); }

  // A RunObserver is told of each of its messages.
  void set_observed(bool observed) { Set(kObserved, observed); }

  // True: its next message is of the data lane, and may be an ask.
  bool takes_only_data() const {
    return !Has(kNotRunning | kBusy | kUrgent | kNoAsks | kTrims | kObserved);
  }
  // True: there is more to do for a message that is put into the data lane.
  bool busy_or_trims() const { return Has(kBusy | kTrims); }
  // True: a message for the data lane puts it into the run queue.
  bool data_makes_runnable() const {
    return !Has(kRunnable | kBusy | kReserved);
  }

 private:
  enum : uint8_t {
    kNotRunning = 1,
    kReserved = 2,
    kRunnable = 4,
    kBusy = 8,
    kUrgent = 16,
    kNoAsks = 32,
    kTrims = 64,
    kObserved = 128,
  };

  bool Has(unsigned flags) const { return (flags_ & flags) != 0; }
  void Set(uint8_t flag, bool on) {
    flags_ = on ? flags_ | flag : flags_ & ~flag;
  }

  State state_ = State::kFree;
  uint8_t flags_ = kNotRunning;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_ACTOR_STATE_H_
