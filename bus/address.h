// SPDX-License-Identifier: Apache-2.0
//
// Address: names an actor of any class. A small value to copy and to keep:
//
//   trolley::Address account = ref.address();
//   account.WhenEnded([](const trolley::ActorEnd& end) { ... });
//   account.Stop(/*drain=*/true);
//
// An address never dangles. Its actor, its loop and its bus may end: then each
// call says so. Ref<A> (actors/ref.h) is an Address that also knows the class
// of its actor, and so can send messages.
//
// Ownership: shares the state of the bus: memory, no thread and no descriptor.
// Threads:   thread-safe. A copy costs one increment: of a plain integer on a
//            loop of the bus, of an atomic elsewhere.
// Bounds:    16 bytes.
// Ends:      does not end.

#ifndef TROLLEY_BUS_ADDRESS_H_
#define TROLLEY_BUS_ADDRESS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "trolley/bus/crossing/bus_state.h"
#include "trolley/bus/inspect.h"

namespace trolley {

// Names a callback of Address::WhenEnded, for ForgetWhenEnded.
struct EndWatch {
  uint64_t id = 0;
};

class Address {
 public:
  Address() = default;  // names no actor; a send to it is kGone
  Address(internal::BusState::Ptr bus, ActorId id)
      : bus_(std::move(bus)), id_(id) {}

  ActorId id() const { return id_; }
  internal::BusState* bus() const { return bus_.get(); }
  explicit operator bool() const { return static_cast<bool>(id_); }

  // Asks the actor to end. Without `drain` it ends before its next message; the
  // messages in its mailbox are dropped and counted as dead letters, and a send
  // is kGone. With `drain` it handles the messages in its mailbox first, and a
  // send is kFull. A full mailbox does not refuse a stop.
  //
  //   kAccepted   the actor will end; WhenEnded() tells when
  //   kGone       the actor has ended, or the address names none
  Delivery Stop(bool drain = false) const;

  // Calls `told` once when the actor has ended: its OnStop() and its destructor
  // have returned, and its name is free. `told` must return soon and not throw.
  // It may run on the thread of another loop than the actor that calls this. So
  // it calls no verb of that actor: it sends the actor a message, or calls
  // Address::Stop().
  //
  //   the actor                    `told` is called
  //   runs                         at its end, on the thread of its loop
  //   has ended                    soon, on the thread of its loop
  //   has ended, and so has its    in this call
  //     loop
  //   none: the address is empty   in this call; the reason is kUnknown
  EndWatch WhenEnded(std::function<void(const ActorEnd&)> told) const;
  // Takes that callback back. It may still be called until this request has
  // reached the loop of the actor.
  void ForgetWhenEnded(EndWatch watch) const;

  // The name of the actor, also after its end. "#loop.slot.generation" if it
  // has no name, or if its name is no longer kept
  // (BusOptions::ended_actors_kept). "no actor" for an empty address.
  std::string ToString() const {
    return id_ ? bus_->Describe(id_) : "no actor";
  }
  // What the Delivery of a send to this actor means, as a status with a text
  // for people, such as "bank/slow has ended: its handler of Boom threw: disk
  // full". Codes: as DeliveryStatus (bus/delivery.h).
  absl::Status Explain(Delivery delivery) const {
    return id_ ? bus_->Explain(delivery, id_)
               : absl::NotFoundError("the address names no actor");
  }

  friend bool operator==(const Address& a, const Address& b) {
    return a.id_ == b.id_ && a.bus_ == b.bus_;
  }
  template <typename H>
  friend H AbslHashValue(H h, const Address& a) {
    return H::combine(std::move(h), a.id_);
  }

 private:
  internal::BusState::Ptr bus_;
  ActorId id_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_ADDRESS_H_
