// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

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
      absl::CHexEscape(name.substr(0, kMaxBytes)), "\""));
}

absl::Status Names::Add(absl::string_view name, ActorId id,
                        const ActorClass* actor_class) {
  if (absl::Status status = Check(name); !status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  const auto [at, added] = entries_.try_emplace(
      std::string(name), Entry{.id = id, .actor_class = actor_class});
  if (added) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("an actor named \"", name, "\" is running (",
                   at->second.id.ToString(), "); stop it first"));
}

void Names::Remove(absl::string_view name, ActorId id) {
  absl::MutexLock lock(&mutex_);
  const auto at = entries_.find(name);
  if (at != entries_.end() && at->second.id == id) entries_.erase(at);
}

Names::Entry Names::Find(absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto at = entries_.find(name);
  return at == entries_.end() ? Entry() : at->second;
}

std::string Names::Describe(ActorId id) const {
  absl::MutexLock lock(&mutex_);
  for (const auto& [name, entry] : entries_) {
    if (entry.id == id) return name;
  }
  return id.ToString();
}

}  // namespace trolley
