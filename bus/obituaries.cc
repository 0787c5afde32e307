// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/obituaries.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace trolley {
namespace {

// Not in the middle of a character of UTF-8.
absl::Status Cut(const absl::Status& error) {
  constexpr size_t kMost = Obituaries::kMaxErrorBytes;
  const absl::string_view text = error.message();
  if (text.size() <= kMost) return absl::Status(error.code(), text);
  size_t end = kMost;
  while (end > kMost - 4 && (text[end] & 0xC0) == 0x80) --end;
  return absl::Status(error.code(), absl::StrCat(text.substr(0, end), "..."));
}

}  // namespace

void Obituaries::Add(ActorId id, absl::string_view name, ExitReason reason) {
  if (most_ == 0) return;
  auto obituary = std::make_unique<const Obituary>(
      Obituary{.name = std::string(name),
               .reason = {.kind = reason.kind, .error = Cut(reason.error)}});
  absl::MutexLock lock(&mutex_);
  const auto [at, is_new] = by_id_.try_emplace(id);
  if (!is_new) return;
  at->second = std::move(obituary);
  if (!name.empty()) {
    by_name_.erase(name);  // the key is the name of the one before
    by_name_.emplace(at->second->name, id);
  }
  oldest_first_.push_back(id);
  if (oldest_first_.size() > most_) ForgetOldest();
}

void Obituaries::ForgetOldest() {
  const auto oldest = by_id_.find(oldest_first_.front());
  oldest_first_.pop_front();
  const auto named = by_name_.find(oldest->second->name);
  if (named != by_name_.end() && named->second == oldest->first) {
    by_name_.erase(named);
  }
  by_id_.erase(oldest);
}

std::optional<Obituary> Obituaries::Find(ActorId id) const {
  absl::MutexLock lock(&mutex_);
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return std::nullopt;
  return *at->second;
}

std::optional<Obituary> Obituaries::FindName(absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto at = by_name_.find(name);
  if (at == by_name_.end()) return std::nullopt;
  return *by_id_.find(at->second)->second;
}

}  // namespace trolley
