// SPDX-License-Identifier: Apache-2.0
//
// PendingSpawn: a spawn from the reservation of a cell until the loop has the
// actor. In between, the constructor of the actor runs on the spawner's thread:
//
//   PendingSpawn spawn(bus, options, ActorClassOf<A>());
//   if (!spawn.ok() || !spawn.Finish(std::make_unique<A>(...))) {
//     return spawn.status();
//   }
//   return spawn.address();
//
// The constructor knows its address by then. What it asks of its loop is kept
// here (EarlyRequests), and the loop does it. Bus::Spawn and Actor::Spawn use
// this.
//
// Ownership: on the stack of the spawner.
// Threads:   the thread of the spawner. If that is a loop of the bus, the
//            PendingSpawn puts the message of the spawner aside until its end:
//            the new actor has not received that message.
// Bounds:    what the constructor asks for.
// Ends:      Finish(), or the destructor. If the constructor throws, the
//            destructor gives the cell and the name back.

#ifndef TROLLEY_BUS_LOOP_PENDING_SPAWN_H_
#define TROLLEY_BUS_LOOP_PENDING_SPAWN_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/bus/address.h"
#include "trolley/bus/loop/early_requests.h"
#include "trolley/bus/loop/loop.h"
#include "trolley/bus/mailbox/actor_base.h"
#include "trolley/bus/mailbox/actor_class.h"
#include "trolley/bus/options.h"

namespace trolley::internal {

class PendingSpawn final : public Construction {
 public:
  // Reserves a cell and the name. Needs memory, no thread and no descriptor.
  // The result is status():
  //
  //   InvalidArgument    the name breaks the rules, the loop does not exist, or
  //                      the capacity is 0
  //   AlreadyExists      the name is taken
  //   ResourceExhausted  the loop has LoopOptions::max_actors
  //   Unavailable        the bus is shutting down and the spawner is not one of
  //                      its actors; or the loop has ended
  //
  // `parent`: the spawn whose constructor makes this one; for kAnyLoop the
  // actor lives on the loop of `parent`. Null: no constructor makes it.
  PendingSpawn(const BusState::Ptr& bus, const SpawnOptions& options,
               const ActorClass* actor_class,
               const PendingSpawn* parent = nullptr);
  // On the thread of `loop`: for the next object of the seat `id`. The factory
  // of the seat makes it, and then the caller calls TakeRequests().
  PendingSpawn(Loop& loop, ActorId id, const SpawnOptions& options,
               const ActorClass* actor_class);
  PendingSpawn(const PendingSpawn&) = delete;
  PendingSpawn& operator=(const PendingSpawn&) = delete;
  ~PendingSpawn() {
    if (constructs_) [[unlikely]]
      Abandon();
  }

  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }

  // Gives the actor to its loop. False: the loop has ended, the actor is
  // destroyed, and status() is Unavailable.
  bool Finish(std::unique_ptr<ActorBase> actor);
  // Gives an empty seat to its loop.
  bool FinishSeat(std::unique_ptr<SeatRecord> seat);

  // --- For the constructor, through trolley::Actor ---
  Address address() const { return Address(bus_, id_); }
  const BusState::Ptr& bus_pointer() const { return bus_; }
  // The loop that the actor will live on. The constructor may keep the
  // reference, as a Stream does, and must not use the loop: it has another
  // thread.
  Loop& loop() const { return *loop_; }
  // Made by the first call.
  EarlyRequests& requests() {
    if (requests_ == nullptr) requests_ = std::make_unique<EarlyRequests>();
    return *requests_;
  }
  std::unique_ptr<EarlyRequests> TakeRequests() { return std::move(requests_); }

 private:
  bool SendToLoop(std::unique_ptr<ActorBase> actor,
                  std::unique_ptr<SeatRecord> seat);
  uint64_t Constructed(ActorBase& actor);
  void BeginConstruction();
  void EndConstruction();
  void Abandon();
  absl::Status Reserve(const PendingSpawn* parent);
  absl::Status Validate() const;
  uint32_t ChooseLoop(const PendingSpawn* parent) const;
  bool local() const { return loop_ == current_loop_; }

  const BusState::Ptr& bus_;
  const SpawnOptions& options_;
  const ActorClass* const actor_class_;
  Loop* const current_loop_;          // null on a plain thread
  std::shared_ptr<Loop> other_loop_;  // keeps loop_ if it is not current_loop_
  Loop* loop_ = nullptr;
  Cell* cell_ = nullptr;
  ActorId id_;
  absl::Status status_;
  std::unique_ptr<EarlyRequests> requests_;
  bool constructs_ = false;  // the constructor may run
  Construction* outer_ = nullptr;
  Activation activation_;  // of the spawner
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_PENDING_SPAWN_H_
