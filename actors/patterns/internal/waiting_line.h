// SPDX-License-Identifier: Apache-2.0
//
// WaitingLine: coroutines of one actor that wait for the same thing, first come
// first served. The owner of the thing gives it to the first place. A place
// that was given something and is destroyed before its coroutine has gone on
// must give it back. So the guard of the coroutine holds the place and looks at
// given():
//
//   struct Slot {
//     ~Slot() { if (taken || place.given()) owner.Release(); }
//     ...
//     WaitingLine::Place place;
//   };
//   Slot slot(*this);
//   if (!free()) {
//     co_await slot.place.Wait(until);
//     if (!slot.place.given()) co_return absl::ResourceExhaustedError(...);
//   }
//
// Ownership: the line is a part of the owner; a place is one of a coroutine's
//            frame. The line outlives its places.
// Threads:   loop thread only.
// Bounds:    the owner compares size() with its limit.
// Ends:      a place that is destroyed leaves the line.

#ifndef TROLLEY_ACTORS_PATTERNS_INTERNAL_WAITING_LINE_H_
#define TROLLEY_ACTORS_PATTERNS_INTERNAL_WAITING_LINE_H_

#include <cstddef>
#include <list>

#include "trolley/actors/async_condition.h"

namespace trolley::internal {

class WaitingLine {
 public:
  class Place {
   public:
    Place() = default;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { Leave(); }

    // Stands at the end of the line from now on.
    void Join(WaitingLine& line) {
      line_ = &line;
      at_ = line.places_.insert(line.places_.end(), this);
    }
    void Leave() {
      if (line_ == nullptr) return;
      line_->places_.erase(at_);
      line_ = nullptr;
    }
    // co_await place.Wait(...): until it is given something, or the time that
    // AsyncCondition::Wait() takes has come.
    template <typename... Until>
    AsyncCondition::Waiter Wait(Until... until) {
      return given_to_.Wait(until...);
    }
    // True from the moment of the gift; Wait() returns a little later.
    bool given() const { return given_; }

   private:
    friend class WaitingLine;
    WaitingLine* line_ = nullptr;  // null: it stands in none
    std::list<Place*>::iterator at_;
    AsyncCondition given_to_;
    bool given_ = false;
  };

  WaitingLine() = default;
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;

  bool empty() const { return places_.empty(); }
  size_t size() const { return places_.size(); }

  // The first place leaves the line with what the owner gives it. False: there
  // is none.
  bool GiveToFirst() {
    if (places_.empty()) return false;
    Place& first = *places_.front();
    first.Leave();
    first.given_ = true;
    first.given_to_.Notify();
    return true;
  }

 private:
  std::list<Place*> places_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PATTERNS_INTERNAL_WAITING_LINE_H_
