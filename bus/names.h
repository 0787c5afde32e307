// SPDX-License-Identifier: Apache-2.0
//
// Names: the actors of a bus that have one.
//
// Ownership: part of the bus's state.
// Threads:   thread-safe.
// Bounds:    one entry for each named actor, each name 128 bytes at most.

#ifndef TROLLEY_BUS_NAMES_H_
#define TROLLEY_BUS_NAMES_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "trolley/bus/actor_class.h"
#include "trolley/bus/actor_id.h"

namespace trolley {

class Names {
 public:
  static constexpr size_t kMaxBytes = 128;

  // InvalidArgument, naming the rule: not 1 to 128 of [a-z0-9_./-].
  static absl::Status Check(absl::string_view name);

  // InvalidArgument: as Check. AlreadyExists: the name is taken.
  absl::Status Add(absl::string_view name, ActorId id,
                   const ActorClass* actor_class);

  // Does nothing if `name` is not `id`'s.
  void Remove(absl::string_view name, ActorId id);

  // A default entry if nobody has the name.
  struct Entry {
    ActorId id;
    const ActorClass* actor_class = nullptr;
  };
  Entry Find(absl::string_view name) const;

  // Empty: it has none, or has ended.
  std::string NameOf(ActorId id) const;

 private:
  mutable absl::Mutex mutex_;
  // Each at a place of its own: by_name_ refers to them.
  absl::flat_hash_map<ActorId, std::unique_ptr<const std::string>> names_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<absl::string_view, Entry> by_name_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley

#endif  // TROLLEY_BUS_NAMES_H_
