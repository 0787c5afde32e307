// SPDX-License-Identifier: Apache-2.0
//
// Standing: how an actor stands with its loop: where it is in its life, whether
// it is in the run queue, and what its messages would have to wait for. What is
// asked for each message is kept as marks of one byte, so that it is one test.
//
// A value, part of the actor's cell. Loop thread only.

#ifndef TROLLEY_BUS_STANDING_H_
#define TROLLEY_BUS_STANDING_H_

#include <cstdint>

namespace trolley {

class Standing {
 public:
  enum class State : uint8_t {
    kFree,      // nobody lives here
    kReserved,  // messages have come before the actor
    kStarting,  // OnStart has not run yet
    kRunning,
    kStopping,  // ends when what is in hand is over
    kDraining,  // ends when its mailbox is empty
  };

  State state() const { return state_; }
  void set_state(State state) {
    state_ = state;
    Mark(kNotRunning, state != State::kRunning);
    Mark(kReserved, state == State::kReserved);
  }

  // In the run queue, or having its slice.
  bool runnable() const { return Has(kRunnable); }
  void set_runnable(bool runnable) { Mark(kRunnable, runnable); }

  // Takes no message: one is suspended.
  bool busy() const { return Has(kBusy); }
  void set_busy(bool busy) { Mark(kBusy, busy); }

  // Something waits in its mailbox that goes before data.
  bool has_urgent() const { return Has(kUrgent); }
  void set_urgent(bool urgent) { Mark(kUrgent, urgent); }

  // As many asks wait in its suspended handlers as may.
  bool takes_no_asks() const { return Has(kNoAsks); }
  void set_takes_no_asks(bool none) { Mark(kNoAsks, none); }

  // Whether the next message can only be one of the data lane, if any, and is
  // to be handled whatever it is.
  bool takes_only_data() const {
    return !Has(kNotRunning | kBusy | kUrgent | kNoAsks);
  }
  // Whether a message of the data lane gets it into the run queue.
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
  };

  bool Has(unsigned marks) const { return (marks_ & marks) != 0; }
  void Mark(uint8_t mark, bool on) {
    marks_ = on ? marks_ | mark : marks_ & ~mark;
  }

  State state_ = State::kFree;
  uint8_t marks_ = kNotRunning;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_STANDING_H_
