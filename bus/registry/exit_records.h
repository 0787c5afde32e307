// SPDX-License-Identifier: Apache-2.0
//
// ExitRecords: the names of actors that have ended, and why they ended, for the
// errors of later asks. It has the actors that had a name or threw. For others
// the cell knows the reason until the next actor ends in it
// (bus/mailbox/cell.h).
//
// Ownership: part of the bus's state.
// Threads:   thread-safe.
// Bounds:    BusOptions::ended_actors_kept entries; the oldest is removed
//            first. Each has a name of at most 128 bytes and a text of at most
//            kMaxErrorBytes.
// Ends:      with the bus's state.

#ifndef TROLLEY_BUS_REGISTRY_EXIT_RECORDS_H_
#define TROLLEY_BUS_REGISTRY_EXIT_RECORDS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/exit_reason.h"

namespace trolley::internal {

struct ExitRecord {
  std::string name;  // empty: it had none
  ExitReason reason;
};

class ExitRecords {
 public:
  static constexpr size_t kMaxErrorBytes = 512;

  explicit ExitRecords(uint32_t most) : most_(most) {}

  // Only the first call for an actor counts: later exceptions are not why it
  // ended.
  void Add(ActorId id, absl::string_view name, ExitReason reason);

  // The object of a seat has ended, and the seat has not: takes back what Add()
  // was told.
  void Remove(ActorId id);

  // Nullopt: it has not ended, had no name and did not throw, or was removed.
  std::optional<ExitRecord> Find(ActorId id) const;
  // The last actor of that name that has ended.
  std::optional<ExitRecord> FindName(absl::string_view name) const;

 private:
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(ActorId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint32_t most_;
  mutable absl::Mutex mutex_;
  // Allocated one by one, because by_name_ refers to the names.
  absl::flat_hash_map<ActorId, std::unique_ptr<const ExitRecord>> by_id_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<absl::string_view, ActorId> by_name_
      ABSL_GUARDED_BY(mutex_);
  std::deque<ActorId> oldest_first_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_REGISTRY_EXIT_RECORDS_H_
