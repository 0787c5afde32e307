// SPDX-License-Identifier: Apache-2.0
//
// Obituaries: what is still known of actors that have ended: the name, and why
// it ended. So an ask that comes too late is told more than an id. Only actors
// with a name and actors that threw are in here; why any other one ended is in
// its cell (bus/cell.h) until the next one has ended there.
//
// Ownership: part of the bus's state.
// Threads:   thread-safe.
// Bounds:    BusOptions::ended_actors_kept entries, the oldest goes first; in
//            each a name (128 bytes at most) and a text of kMaxErrorBytes.
// Ends:      with the bus's state.

#ifndef TROLLEY_BUS_OBITUARIES_H_
#define TROLLEY_BUS_OBITUARIES_H_

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

namespace trolley {

struct Obituary {
  std::string name;  // empty: it had none
  ExitReason reason;
};

class Obituaries {
 public:
  static constexpr size_t kMaxErrorBytes = 512;

  explicit Obituaries(uint32_t most) : most_(most) {}

  // The first one of an actor stays: what it throws after that is no reason.
  void Add(ActorId id, absl::string_view name, ExitReason reason);

  // Nothing: it has not ended, was not worth one, or it is too long ago.
  std::optional<Obituary> Find(ActorId id) const;
  // Of the actor of that name that was the last to end.
  std::optional<Obituary> FindName(absl::string_view name) const;

 private:
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint32_t most_;
  mutable absl::Mutex mutex_;
  // Each at a place of its own: by_name_ refers to the names.
  absl::flat_hash_map<ActorId, std::unique_ptr<const Obituary>> by_id_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<absl::string_view, ActorId> by_name_
      ABSL_GUARDED_BY(mutex_);
  std::deque<ActorId> oldest_first_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley

#endif  // TROLLEY_BUS_OBITUARIES_H_
