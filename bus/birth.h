// SPDX-License-Identifier: Apache-2.0
//
// Birth: an actor from the reservation of its cell until its loop has it. Its
// constructor runs in between, on the thread of the spawner. The actor knows
// its address by then; what its constructor asks of its loop is kept here, and
// done by the loop.
//
//   Birth birth(bus, options, ActorClassOf<A>());
//   if (!birth.status().ok()) return birth.status();
//   return birth.Finish(std::make_unique<A>(...));
//
// Bus::Spawn and Actor::Spawn are its callers; users see only its errors.
//
// Ownership: on the stack of the spawner.
// Threads:   the spawner's. While it lives on one of the bus's loops, that loop
//            handles no message: the message in hand is not the newborn's.
// Bounds:    what the constructor asks for.
// Ends:      with Finish(). Destroyed without it, because the constructor
//            threw, it gives the cell and the name back.

#ifndef TROLLEY_BUS_BIRTH_H_
#define TROLLEY_BUS_BIRTH_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/bus/actor_base.h"
#include "trolley/bus/actor_class.h"
#include "trolley/bus/address.h"
#include "trolley/bus/early_requests.h"
#include "trolley/bus/loop.h"
#include "trolley/bus/options.h"

namespace trolley {

class Birth {
 public:
  // Needs plain memory and nothing else: no thread, no descriptor.
  //
  // Reserves a cell and the name. status() says how that went:
  //
  //   InvalidArgument    the name breaks the rules, the loop does not exist, or
  //                      the capacity is 0
  //   AlreadyExists      the name is taken
  //   ResourceExhausted  the loop has LoopOptions::max_actors
  //   Unavailable        the bus is shutting down and the spawner is not one of
  //                      its actors; or the loop has ended
  //
  // `parent`: whose constructor spawns; null if none does. Its loop is then the
  // one for SpawnOptions::kAnyLoop.
  Birth(const BusState::Ptr& bus, const SpawnOptions& options,
        const ActorClass* actor_class, const Birth* parent = nullptr);
  Birth(const Birth&) = delete;
  Birth& operator=(const Birth&) = delete;
  ~Birth();

  const absl::Status& status() const { return status_; }

  // Hands the actor to its loop. Unavailable: the loop has ended; the actor is
  // destroyed.
  absl::StatusOr<Address> Finish(std::unique_ptr<ActorBase> actor);

  // --- For the constructor, by way of trolley::Actor ---
  Address address() const { return Address(bus_, id_); }
  const BusState::Ptr& bus_pointer() const { return bus_; }
  // The loop it will live on. Its members are for its own thread; to name it,
  // as a Stream does, is safe.
  Loop& loop() const { return *loop_; }
  // Made when it is first asked for.
  EarlyRequests& requests() {
    if (requests_ == nullptr) requests_ = std::make_unique<EarlyRequests>();
    return *requests_;
  }

 private:
  friend class ActorBase;
  absl::Status Reserve(const Birth* parent);
  absl::StatusOr<uint32_t> ChooseLoop(const Birth* parent) const;
  bool local() const { return loop_ == current_loop_; }

  // Of the actor whose constructor begins next on this thread; else null.
  static thread_local constinit Birth* next_;

  const BusState::Ptr& bus_;
  const SpawnOptions& options_;
  const ActorClass* const actor_class_;
  Loop* const current_loop_;          // null on a plain thread
  std::shared_ptr<Loop> other_loop_;  // keeps it, if it is not current_loop_
  Loop* loop_ = nullptr;
  Cell* cell_ = nullptr;
  ActorId id_;
  absl::Status status_;
  std::unique_ptr<EarlyRequests> requests_;
  Birth* outer_ = nullptr;
  Loop::Turn turn_;  // of the spawner
};

}  // namespace trolley

#endif  // TROLLEY_BUS_BIRTH_H_
