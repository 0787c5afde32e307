// SPDX-License-Identifier: Apache-2.0
//
// BusCore: the part of trolley::Bus (actors/bus.h) that does not depend on the
// classes of actors: it starts the loops and ends them with a report. The
// contract of each call is in actors/bus.h.
//
// Ownership: owns its threads and loops. Addresses may outlive it.
// Threads:   thread-safe, except Start(), Shutdown(), RunUntilIdle() and the
//            destructor, which no actor may call.
// Bounds:    BusOptions.
// Ends:      Shutdown(). Without it the destructor calls
//            Shutdown(absl::ZeroDuration()).

#ifndef TROLLEY_BUS_LOOP_BUS_CORE_H_
#define TROLLEY_BUS_LOOP_BUS_CORE_H_

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/bus/address.h"
#include "trolley/bus/inspect.h"
#include "trolley/bus/loop/loop.h"
#include "trolley/bus/options.h"
#include "trolley/bus/shutdown_report.h"
#include "trolley/bus/test_options.h"

namespace trolley::internal {

class BusCore {
 public:
  // `options`: ValidateBusOptions() was OK.
  explicit BusCore(BusOptions options);
  BusCore(const BusCore&) = delete;
  BusCore& operator=(const BusCore&) = delete;
  ~BusCore();

  // Call it once, before all others. An error leaves no thread and no
  // descriptor behind.
  absl::Status Start();

  absl::StatusOr<Address> Find(absl::string_view name) const;
  // FailedPrecondition: the actor is not of class `wanted`.
  absl::StatusOr<Address> Find(absl::string_view name,
                               const ActorClass* wanted) const;

  void Inspect(std::function<void(BusInfo)> done) const;
  absl::StatusOr<BusInfo> Inspect(absl::Duration timeout) const;
  void InspectLoops(std::function<void(BusInfo)> done) const;
  void ListActors(ActorPosition from, uint32_t most,
                  std::function<void(ActorPage)> done) const;

  ShutdownReport Shutdown(absl::Duration deadline);
  void RunUntilIdle();
  Instant NextTimer() const;
  // For RunUntilIdle(), NextTimer() and Shutdown(). Borrowed until the end of
  // the bus. Null: no loop is held, and one loop comes after the other.
  void SetTurnOrder(TurnOrder* order) { turn_order_ = order; }
  // Of actors that are spawned from now on. Borrowed until the end of the bus.
  void SetObserver(RunObserver* observer) {
    for (auto& loop : loops_) loop->router().SetObserver(observer);
  }

  const BusState::Ptr& state() const { return state_; }
  Loop& loop(int index) { return *loops_[index]; }

 private:
  class Ending;  // Shutdown's steps; in shutdown.cc

  absl::Status StartLoops();
  absl::Status StartThreads();
  // A turn of each loop. False: none had anything to do.
  bool RunTurns();
  bool IsHeld(const Loop& loop) const {
    return turn_order_ != nullptr && turn_order_->Holds(loop.index());
  }

  const BusState::Ptr state_;
  // Shared with their threads: if a handler never returns, its loop outlives
  // the bus.
  std::vector<std::shared_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;
  TurnOrder* turn_order_ = nullptr;
  std::unique_ptr<ShutdownReport> report_;  // once it has ended
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_BUS_CORE_H_
