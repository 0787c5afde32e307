// SPDX-License-Identifier: Apache-2.0
//
// PhaseWatch: knows which actors of a shutdown phase have ended, and why. It
// watches from its construction on, so also an actor that ends long before the
// shutdown is reported with its reason.
//
//   PhaseWatch watch(bus, {store.address()});
//   watch.Mark(PhaseEnd::kBefore);
//   watch.Stop(/*drain=*/true);
//   watch.ended().Wait(limit);
//   watch.Mark(PhaseEnd::kInTime);
//   report.actors = watch.Report(PhaseEnd::kSurvived);
//
// Ownership: owned by ShutdownPhases. Borrows the bus. What the loops write to
//            is shared with the callbacks that are on their way.
// Threads:   all calls: one thread at a time. all_ended() and ended(): any.
// Bounds:    one entry for each actor, and two callbacks at most.
// Ends:      the destructor takes its callbacks back.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_PHASE_WATCH_H_
#define TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_PHASE_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "trolley/actors/behaviour/phases_report.h"
#include "trolley/actors/bus.h"
#include "trolley/bus/address.h"
#include "trolley/bus/inspect.h"
#include "trolley/bus/latch.h"

namespace trolley::internal {

class PhaseWatch {
 public:
  // The actors are of `bus`, and each occurs once.
  PhaseWatch(const Bus& bus, std::vector<Address> actors);
  PhaseWatch(const PhaseWatch&) = delete;
  PhaseWatch& operator=(const PhaseWatch&) = delete;
  ~PhaseWatch();

  // Those that have ended since the last call have ended so.
  void Mark(PhaseEnd end);
  // Notes how the actors look, for Report(). The loops do it soon.
  void Look();
  // Stops the actors that have not ended.
  void Stop(bool drain);

  bool all_ended() const;
  // Open soon after all have ended.
  const Latch& ended() const { return record_->ended; }

  // What became of the actors. Those without a mark count as `others`. If that
  // is kSurvived, one whose loop has not answered the last Look() is "stuck".
  std::vector<PhaseActor> Report(PhaseEnd others) const;
  // Adds to that report the reasons of those that have ended since.
  void AddReasons(std::vector<PhaseActor>& actors) const;

 private:
  struct Seen {
    std::optional<ActorEnd> end;
    std::optional<ActorInfo> look;
    uint64_t looked = 0;  // the number of that look
  };
  struct Record {
    mutable absl::Mutex mutex;
    std::vector<Seen> seen ABSL_GUARDED_BY(mutex);  // by index
    size_t left ABSL_GUARDED_BY(mutex) = 0;         // have not ended; a count
    Latch ended;
  };

  std::vector<size_t> Left() const;  // the indices of those that have not ended

  const Bus& bus_;
  const std::vector<Address> actors_;
  std::vector<std::string> names_;  // kept: the bus forgets names
  std::vector<EndWatch> watches_;
  std::vector<std::optional<PhaseEnd>> marks_;
  uint64_t looks_ = 0;
  const std::shared_ptr<Record> record_ = std::make_shared<Record>();
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_PHASE_WATCH_H_
