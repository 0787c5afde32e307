// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/names.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

bool IsNameByte(char c) {
  return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' ||
         c == '.' || c == '/' || c == '-';
}

}  // namespace

absl::Status Names::Check(absl::string_view name) {
  if (!name.empty() && name.size() <= kMaxBytes &&
      std::all_of(name.begin(), name.end(), IsNameByte)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "not an actor name (1 to ", kMaxBytes, " of a-z 0-9 _ . / -): \"",
      Printable(name, kMaxBytes), "\""));
}

absl::Status Names::Add(absl::string_view name, ActorId id,
                        const ActorClass* actor_class) {
  if (absl::Status status = Check(name); !status.ok()) return status;
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

void Names::Remove(absl::string_view name, ActorId id) {
  absl::MutexLock lock(&mutex_);
  const auto at = by_name_.find(name);
  if (at == by_name_.end() || at->second.id != id) return;
  by_name_.erase(at);
  names_.erase(id);
}

Names::Entry Names::Find(absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? Entry() : at->second;
}

std::string Names::NameOf(ActorId id) const {
  absl::MutexLock lock(&mutex_);
  const auto at = names_.find(id);
  return at == names_.end() ? "" : *at->second;
}

}  // namespace trolley
