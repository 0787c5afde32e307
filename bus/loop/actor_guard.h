// SPDX-License-Identifier: Apache-2.0
//
// ActorGuard: runs code of an actor. An exception that leaves this code ends
// the actor and nothing else (P8). ActorGuard also stops actors.
//
// Ownership: part of a loop.
// Threads:   loop thread only.
// Ends:      an actor that is told to stop ends when its slice is over
//            (bus/loop/actor_runner.h).

#ifndef TROLLEY_BUS_LOOP_ACTOR_GUARD_H_
#define TROLLEY_BUS_LOOP_ACTOR_GUARD_H_

#include <utility>

#include "absl/strings/string_view.h"
#include "trolley/bus/crossing/bus_state.h"
#include "trolley/bus/loop/message_router.h"

namespace trolley::internal {

class ActorGuard {
 public:
  ActorGuard(BusState& bus, MessageRouter& router)
      : bus_(bus), router_(router) {}

  // Calls code() for the actor in `cell`. `doing` names the code in the log,
  // such as "OnStart". False: it threw, and the actor ends.
  template <typename Code>
  bool Run(Cell& cell, absl::string_view doing, Code code) {
    const InHand in_hand(*this, cell);
    return Try(cell, doing, std::move(code));
  }

  // The actor in `cell` is the one that runs, as long as this object lives.
  class InHand {
   public:
    InHand(ActorGuard& guard, Cell& cell)
        : router_(guard.router_),
          outer_(std::exchange(router_.current(),
                               {.cell = &cell, .self = cell.self})),
          outer_message_(router_.inbox().running_message()) {
      router_.inbox().SetRunning(cell.self);
    }
    InHand(const InHand&) = delete;
    InHand& operator=(const InHand&) = delete;
    ~InHand() {
      router_.current() = outer_;
      router_.inbox().SetRunning(outer_.self, outer_message_);
    }

   private:
    MessageRouter& router_;
    const Activation outer_;
    const MessageOps* const outer_message_;
  };

  // As Run(), for the actor that is in hand.
  template <typename Code>
  bool Try(Cell& cell, absl::string_view doing, Code code) {
    try {
      code();
      return true;
    } catch (...) {
      Fail(cell, doing);
      return false;
    }
  }

  // In a catch block: a handler of `cell` threw as it handled `e`; null: a
  // background task threw. Answers an ask.
  void HandlerThrew(Cell& cell, Envelope* e);

  // Ends the actor when its slice is over; `drain`: when its mailbox is empty.
  void Stop(Cell& cell, bool drain);

 private:
  // In a catch block: ends the actor because of the caught exception.
  void Fail(Cell& cell, absl::string_view doing);

  BusState& bus_;
  MessageRouter& router_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_ACTOR_GUARD_H_
