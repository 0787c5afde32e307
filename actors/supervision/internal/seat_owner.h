// SPDX-License-Identifier: Apache-2.0
//
// SeatOwner: the base of Supervisor, as the owner of seats. A ChildSpec knows
// it, and need not know Supervisor.
//
// Ownership, threads, bounds, ends: as Supervisor
// (actors/supervision/supervisor.h).

#ifndef TROLLEY_ACTORS_SUPERVISION_INTERNAL_SEAT_OWNER_H_
#define TROLLEY_ACTORS_SUPERVISION_INTERNAL_SEAT_OWNER_H_

#include "trolley/actors/actor.h"
#include "trolley/actors/seat.h"

namespace trolley::internal {

class SeatOwner : public Actor {
 public:
  virtual void On(const SeatTaken& m) = 0;
  virtual void On(const SeatEmpty& m) = 0;
  // Child() calls it before the start of a child that owns seats itself: its
  // parent, and not its OnDrain(), says when its children stop.
  void BeChild() { is_child_ = true; }

 protected:
  bool is_child() const { return is_child_; }

 private:
  bool is_child_ = false;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_SUPERVISION_INTERNAL_SEAT_OWNER_H_
