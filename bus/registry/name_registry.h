// SPDX-License-Identifier: Apache-2.0
//
// NameRegistry: the running actors of a bus that have a name.
//
// Ownership: part of the bus's state.
// Threads:   thread-safe.
// Bounds:    one entry for each actor with a name; a name has at most 128
//            bytes.
// Ends:      the loop removes an actor's entry at its end.

#ifndef TROLLEY_BUS_REGISTRY_NAME_REGISTRY_H_
#define TROLLEY_BUS_REGISTRY_NAME_REGISTRY_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/mailbox/actor_class.h"

namespace trolley::internal {

class NameRegistry {
 public:
  // InvalidArgument: as ValidateActorName. AlreadyExists: the name is taken.
  absl::Status Add(absl::string_view name, ActorId id,
                   const ActorClass* actor_class);

  // Removes `name` if it is the name of `id`.
  void Remove(absl::string_view name, ActorId id);

  struct Entry {
    ActorId id;
    const ActorClass* actor_class = nullptr;
  };
  // An entry with an empty id: no actor has the name.
  Entry Find(absl::string_view name) const;

  // Empty: the actor has no name, or has ended.
  std::string NameOf(ActorId id) const;

 private:
  mutable absl::Mutex mutex_;
  // Allocated one by one, because by_name_ refers to them.
  absl::flat_hash_map<ActorId, std::unique_ptr<const std::string>> names_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<absl::string_view, Entry> by_name_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_REGISTRY_NAME_REGISTRY_H_
