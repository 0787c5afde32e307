// SPDX-License-Identifier: Apache-2.0
//
// The control messages about the beginning and the end of actors. Values; any
// thread.

#ifndef TROLLEY_BUS_LOOP_ACTOR_REQUESTS_H_
#define TROLLEY_BUS_LOOP_ACTOR_REQUESTS_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "trolley/bus/crossing/bus_state.h"
#include "trolley/bus/loop/early_requests.h"
#include "trolley/bus/loop/seat_record.h"
#include "trolley/bus/mailbox/actor_base.h"
#include "trolley/bus/mailbox/actor_class.h"
#include "trolley/bus/message/control_envelope.h"
#include "trolley/bus/options.h"
#include "trolley/bus/registry/end_watchers.h"

namespace trolley::internal {

// The cell and the name of an actor on its way to its loop. If the loop has
// ended, the destructor gives both up.
class Reservation {
 public:
  Reservation() = default;
  Reservation(BusState& bus, ActorId of) : bus_(&bus), of_(of) {}
  Reservation(Reservation&& other) noexcept
      : bus_(std::exchange(other.bus_, nullptr)), of_(other.of_) {}
  Reservation& operator=(Reservation&&) = delete;
  ~Reservation() {
    if (bus_ != nullptr) bus_->GiveUp(of_);
  }

  // The loop sees to both from now on.
  void Release() { bus_ = nullptr; }

 private:
  BusState* bus_ = nullptr;  // null: there is nothing to give up
  ActorId of_;
};

// Takes an actor to the cell that is reserved for it.
struct SpawnRequest {
  Reservation reservation = {};  // goes after the actor
  std::unique_ptr<ActorBase> actor;
  const ActorClass* actor_class;
  SpawnOptions options;
  uint64_t start_sequence;
  std::unique_ptr<EarlyRequests> early;  // null: none
  std::unique_ptr<SeatRecord> seat;      // null: it is no seat
};

// Frees the cell of an actor whose constructor threw.
struct AbandonRequest {
  Reservation reservation;
};

// A callback of Address::WhenEnded on its way to the loop of its actor. A loop
// that has ended refuses it. Then the destructor calls the callback, because
// the actor has ended, too.
class EndCallback {
 public:
  EndCallback(BusState::Ptr bus, ActorId of, EndWatchers::Told told)
      : bus_(std::move(bus)), of_(of), told_(std::move(told)) {}
  EndCallback(EndCallback&& other) noexcept
      : bus_(std::move(other.bus_)),
        of_(other.of_),
        told_(std::exchange(other.told_, nullptr)) {}
  EndCallback& operator=(EndCallback&&) = delete;
  ~EndCallback() {
    if (told_ != nullptr) told_({.reason = bus_->ExitOf(of_), .last = {}});
  }

  // The loop has it, and sees to the rest.
  EndWatchers::Told Arrive() && { return std::exchange(told_, nullptr); }

 private:
  BusState::Ptr bus_;
  ActorId of_;
  EndWatchers::Told told_;
};

// Watches the end of an actor (ActorLifecycle::WhenEnded).
struct WatchRequest {
  uint64_t watch;
  EndCallback callback;
};

// Ends an actor.
struct StopRequest {
  bool drain = false;  // true: after it has handled its mailbox
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_ACTOR_REQUESTS_H_
