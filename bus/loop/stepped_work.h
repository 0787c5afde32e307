// SPDX-License-Identifier: Apache-2.0
//
// SteppedWork: long work of a loop, such as a look at all its actors, in steps.
// A loop does one step a turn. Several works alternate. So a message waits for
// one step at most, whatever the number of works (P7).
//
// Ownership: part of a loop; owns the works.
// Threads:   loop thread only.
// Bounds:    one step a turn. A step does at most
//            LoopOptions::messages_per_turn cells, calls or messages.
// Ends:      End() destroys the works that are left.

#ifndef TROLLEY_BUS_LOOP_STEPPED_WORK_H_
#define TROLLEY_BUS_LOOP_STEPPED_WORK_H_

#include <deque>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace trolley::internal {

class SteppedWork {
 public:
  // Does a step. False: that was the last one.
  using Work = absl::AnyInvocable<bool()>;

  // Takes `work`; destroys it if the loop has ended.
  void Add(Work work) {
    if (!ended_) works_.push_back(std::move(work));
  }

  bool empty() const { return works_.empty(); }

  // One step of the work that has waited longest.
  void Step() {
    Work work = std::move(works_.front());
    works_.pop_front();
    if (work() && !ended_) works_.push_back(std::move(work));
  }

  void End() {
    ended_ = true;
    // The destructor of a work may call Add().
    for (Work& work : std::exchange(works_, {})) work = nullptr;
  }

 private:
  std::deque<Work> works_;
  bool ended_ = false;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_STEPPED_WORK_H_
