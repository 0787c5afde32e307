// SPDX-License-Identifier: Apache-2.0
//
// KeptResults: the keys of an Idempotency, each with its result or with the
// calls that wait for it. All results are kept equally long.
//
//   absl::StatusOr<EntryPtr> found = results.Find(key);   // null: a new key
//   EntryPtr entry = results.Add(key);
//   results.End(entry, result, keep);                      // wakes the waiters
//
// Ownership: a member of the Idempotency.
// Threads:   loop thread only.
// Bounds:    IdempotencyOptions::keys, bytes and waiting.
// Ends:      with its owner.

#ifndef TROLLEY_ACTORS_PATTERNS_INTERNAL_KEPT_RESULTS_H_
#define TROLLEY_ACTORS_PATTERNS_INTERNAL_KEPT_RESULTS_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/patterns/idempotency_options.h"
#include "trolley/actors/patterns/internal/pause.h"
#include "trolley/actors/patterns/internal/waiting_line.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

template <typename Key, typename R>
class KeptResults {
 public:
  struct Entry {
    explicit Entry(Key k) : key(std::move(k)) {}
    const Key key;
    WaitingLine line;
    std::optional<R> result;
    size_t bytes = 0;
    Instant until_;  // when it is forgotten, once there is a result
  };
  using EntryPtr = std::shared_ptr<Entry>;

  explicit KeptResults(const IdempotencyOptions& options) : options_(options) {}

  size_t keys() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }

  // Null: there is no such key, and it may be added. ResourceExhausted: a limit
  // of the options.
  absl::StatusOr<EntryPtr> Find(const Key& key) {
    Forget();
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
      if (found->second->result.has_value() ||
          found->second->line.size() <= options_.waiting) {
        return found->second;
      }
      return absl::ResourceExhaustedError(
          absl::StrCat("IdempotencyOptions::waiting = ", options_.waiting,
                       " calls wait for this key"));
    }
    if (entries_.size() >= options_.keys) {
      return absl::ResourceExhaustedError(
          absl::StrCat("IdempotencyOptions::keys = ", options_.keys,
                       " keys are worked for or kept"));
    }
    if (bytes_ >= options_.bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the kept results have ", bytes_,
          " bytes; IdempotencyOptions::bytes is ", options_.bytes));
    }
    return EntryPtr();
  }

  EntryPtr Add(Key key) {
    auto entry = std::make_shared<Entry>(std::move(key));
    entries_.emplace(entry->key, entry);
    return entry;
  }

  // `bytes`: of a result that is kept; nullopt: it is not kept.
  void End(const EntryPtr& entry, const R& result,
           std::optional<size_t> bytes) {
    entry->result = result;
    if (bytes.has_value()) {
      entry->until_ = Now() + options_.age;
      entry->bytes = *bytes;
      bytes_ += *bytes;
      kept_.push_back(entry);
    } else {
      entries_.erase(entry->key);
    }
    while (entry->line.GiveToFirst()) {
    }
  }

 private:
  // The oldest goes first.
  void Forget() {
    const Instant now = Now();
    // mutant: P23_AResultIsForgottenAtOnce
    while (!kept_.empty() && kept_.front()->until_ <= now) {
      bytes_ -= kept_.front()->bytes;
      entries_.erase(kept_.front()->key);
      kept_.pop_front();
    }
  }

  const IdempotencyOptions& options_;
  absl::flat_hash_map<Key, EntryPtr> entries_;
  std::deque<EntryPtr> kept_;  // those with a result that is kept
  size_t bytes_ = 0;           // of kept_
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PATTERNS_INTERNAL_KEPT_RESULTS_H_
