// SPDX-License-Identifier: Apache-2.0
//
// WaitingValues: the values of a Conflated that wait for their actor, by key.
// A key is in the map as long as its message exists and has not been taken.
//
// Put() sends under the mutex, so that no other thread finds a key whose
// message is then refused. A refused message is destroyed in this call; its
// Remove() must not lock again.
//
// Ownership: shared by the Conflated and its messages.
// Threads:   thread-safe.
// Bounds:    one entry for each message.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_WAITING_VALUES_H_
#define TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_WAITING_VALUES_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"
#include "trolley/bus/delivery.h"

namespace trolley::internal {

// Throws if `is_first` is false.
void CheckIsFirstTake(bool is_first);

// An address that differs from thread to thread.
const void* ThisThread();

template <typename Key, typename Value>
class WaitingValues {
 public:
  // Keeps `value`. If no value of `key` waits, calls send() for its message.
  template <typename Send>
  Delivery Put(const Key& key, Value value, Send send) {
    absl::MutexLock lock(&mutex_);
    const auto [at, is_new] = values_.try_emplace(key, std::move(value));
    if (!is_new) {
      // The old value is destroyed when the mutex is free again.
      std::swap(at->second, value);
      ++replaced_;
      return Delivery::kAccepted;
    }
    sender_ = ThisThread();
    const Delivery sent = send();
    sender_ = nullptr;
    return sent;
  }

  // Nothing if `key` does not wait.
  std::optional<Value> Remove(const Key& key) {
    // Only this thread can have stored its own address.
    if (sender_ == ThisThread()) {
      mutex_.AssertHeld();
      return RemoveLocked(key);
    }
    absl::MutexLock lock(&mutex_);
    return RemoveLocked(key);
  }

  uint64_t replaced() const {
    absl::MutexLock lock(&mutex_);
    return replaced_;
  }

 private:
  std::optional<Value> RemoveLocked(const Key& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto at = values_.find(key);
    if (at == values_.end()) return std::nullopt;
    std::optional<Value> value(std::move(at->second));
    values_.erase(at);
    return value;
  }

  mutable absl::Mutex mutex_;
  std::unordered_map<Key, Value, absl::Hash<Key>> values_
      ABSL_GUARDED_BY(mutex_);
  uint64_t replaced_ ABSL_GUARDED_BY(mutex_) = 0;
  // The thread that sends in Put(); null: none does.
  std::atomic<const void*> sender_{nullptr};
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BEHAVIOUR_INTERNAL_WAITING_VALUES_H_
