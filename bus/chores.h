// SPDX-License-Identifier: Apache-2.0
//
// Chores: what a loop has to do that is too long for one turn, such as looking
// at all its actors. A chore is done in steps, and a loop takes one step a
// turn, whatever the number of its chores, which take turns. So however often
// and however much a loop is asked, its messages wait for one step at most
// (P7).
//
// Ownership: part of a loop; owns the chores.
// Threads:   loop thread only, but for Post().
// Bounds:    one step a turn. A chore bounds its steps: LoopOptions::
//            messages_per_turn cells, calls or messages.
// Ends:      with the loop: what is left is destroyed undone.

#ifndef TROLLEY_BUS_CHORES_H_
#define TROLLEY_BUS_CHORES_H_

#include <cstdint>
#include <deque>

#include "absl/functional/any_invocable.h"

namespace trolley {

class Loop;
class LoopPort;

class Chores {
 public:
  // Does a step. False: that was the last one.
  using Chore = absl::AnyInvocable<bool(Loop&)>;

  explicit Chores(Loop& loop) : loop_(loop) {}

  // Thread-safe. Hands a chore to the loop; false if the loop has ended (it is
  // destroyed undone).
  static bool Post(LoopPort& port, Chore chore);

  // Destroys what is left, and what comes from now on.
  void End();

 private:
  void Add(Chore chore);
  void Run();

  Loop& loop_;
  std::deque<Chore> chores_;
  uint64_t last_turn_ = 0;  // of the last step; turns are counted from 1
  bool posted_ = false;     // Run() comes in the next turn
  bool ended_ = false;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_CHORES_H_
