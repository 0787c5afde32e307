// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/registry/name_registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/bus/options.h"

namespace trolley::internal {
absl::Status NameRegistry::Add(absl::string_view name, ActorId id,
                               const ActorClass* actor_class) {
  if (absl::Status status = ValidateActorName(name); !status.ok())
    return status;
  auto kept = std::make_unique<const std::string>(name);
  absl::MutexLock lock(&mutex_);
  const auto [at, added] =
      by_name_.try_emplace(*kept, Entry{.id = id, .actor_class = actor_class});
  if (!added) {
    return absl::AlreadyExistsError(
        absl::StrCat("an actor named \"", name, "\" is running (",
                     at->second.id.ToString(), "); stop it first"));
  }
  names_.emplace(id, std::move(kept));
  return absl::OkStatus();
}

void NameRegistry::Remove(absl::string_view name, ActorId id) {
  absl::MutexLock lock(&mutex_);
  const auto at = by_name_.find(name);
  if (at == by_name_.end() || at->second.id != id) return;
  by_name_.erase(at);
  names_.erase(id);
}

NameRegistry::Entry NameRegistry::Find(absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? Entry() : at->second;
}

std::string NameRegistry::NameOf(ActorId id) const {
  absl::MutexLock lock(&mutex_);
  const auto at = names_.find(id);
  return at == names_.end() ? "" : *at->second;
}

}  // namespace trolley::internal
