// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/registry/exit_records.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace trolley::internal {
namespace {

// Does not cut a UTF-8 character in two.
absl::Status Cut(const absl::Status& error) {
  constexpr size_t kMost = ExitRecords::kMaxErrorBytes;
  const absl::string_view text = error.message();
  if (text.size() <= kMost) return absl::Status(error.code(), text);
  size_t end = kMost;
  while (end > kMost - 4 && (text[end] & 0xC0) == 0x80) --end;
  return absl::Status(error.code(), absl::StrCat(text.substr(0, end), "..."));
}

}  // namespace

void ExitRecords::Add(ActorId id, absl::string_view name, ExitReason reason) {
  // mutant: P8_WhyItEndedIsForgotten
  if (most_ == 0) return;
  auto record = std::make_unique<const ExitRecord>(
      ExitRecord{.name = std::string(name),
                 .reason = {.kind = reason.kind, .error = Cut(reason.error)}});
  absl::MutexLock lock(&mutex_);
  const auto [at, is_new] = by_id_.try_emplace(id);
  if (!is_new) return;
  at->second = std::move(record);
  if (!name.empty()) {
    by_name_.erase(name);  // the key refers to the name of an earlier record
    by_name_.emplace(at->second->name, id);
  }
  oldest_first_.push_back(id);
  // mutant: P6_AllThatHaveEndedAreKept
  if (oldest_first_.size() > most_) ForgetOldest();
}

void ExitRecords::Remove(ActorId id) {
  absl::MutexLock lock(&mutex_);
  if (!by_id_.contains(id)) return;
  Forget(id);
  // It is one of the newest.
  const auto at = std::find(oldest_first_.rbegin(), oldest_first_.rend(), id);
  oldest_first_.erase(std::next(at).base());
}

void ExitRecords::ForgetOldest() {
  Forget(oldest_first_.front());
  oldest_first_.pop_front();
}

void ExitRecords::Forget(ActorId id) {
  const auto at = by_id_.find(id);
  const auto named = by_name_.find(at->second->name);
  if (named != by_name_.end() && named->second == id) by_name_.erase(named);
  by_id_.erase(at);
}

std::optional<ExitRecord> ExitRecords::Find(ActorId id) const {
  absl::MutexLock lock(&mutex_);
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return std::nullopt;
  return *at->second;
}

std::optional<ExitRecord> ExitRecords::FindName(absl::string_view name) const {
  absl::MutexLock lock(&mutex_);
  const auto at = by_name_.find(name);
  if (at == by_name_.end()) return std::nullopt;
  return *by_id_.find(at->second)->second;
}

}  // namespace trolley::internal
