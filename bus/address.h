// SPDX-License-Identifier: Apache-2.0
//
// Address: names an actor, whatever its class. Small, copyable, and good for
// ever: sending to an actor that has ended says so and touches nothing else.
// Ref<A> (actors/ref.h) is an Address that knows what it may send.
//
// Ownership: shares the bus's state (memory only: no thread, no descriptor).
// Threads:   thread-safe; copying costs an atomic increment.

#ifndef TROLLEY_BUS_ADDRESS_H_
#define TROLLEY_BUS_ADDRESS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "trolley/bus/bus_state.h"

namespace trolley {

class Address {
 public:
  Address() = default;  // names nobody; sending to it is kGone
  Address(BusState::Ptr bus, ActorId id) : bus_(std::move(bus)), id_(id) {}

  ActorId id() const { return id_; }
  BusState* bus() const { return bus_.get(); }
  explicit operator bool() const { return static_cast<bool>(id_); }

  // Asks the actor to end: at once, or with `drain` when it has handled what is
  // queued. Goes by the control lane, so a full mailbox does not keep it out.
  // kGone if it has ended already.
  Delivery Stop(bool drain = false) const;

  // Its name, also when it has ended, or "#loop.slot.generation" if it has none
  // or that is not kept any longer (BusOptions::ended_actors_kept).
  std::string ToString() const { return id_ ? bus_->Describe(id_) : "nobody"; }
  // OK for kAccepted; else what a Delivery of a send to it means, for people:
  // ResourceExhausted, NotFound ("bank/slow has ended: its handler of Boom
  // threw: disk full") or Unavailable.
  absl::Status Explain(Delivery delivery) const {
    return id_ ? bus_->Explain(delivery, id_)
               : absl::NotFoundError("the address names nobody");
  }

  friend bool operator==(const Address& a, const Address& b) {
    return a.id_ == b.id_ && a.bus_ == b.bus_;
  }
  template <typename H>
  friend H AbslHashValue(H h, const Address& a) {
    return H::combine(std::move(h), a.id_);
  }

 private:
  BusState::Ptr bus_;
  ActorId id_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_ADDRESS_H_
