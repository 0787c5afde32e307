// SPDX-License-Identifier: Apache-2.0
//
// The hash of a key, and the worker that it belongs to.
//
//   uint32_t index = WorkerOfKey(HashKey(user), workers);
//
// WorkerOfKey is the jump consistent hash of Lamping and Veach, "A Fast,
// Minimal Memory, Consistent Hash Algorithm", 2014 (arXiv:1406.2294). When a
// pool grows from n to n + 1 workers, a key keeps its worker, or it moves to
// the new one; the latter with a probability of 1 / (n + 1). So with many
// workers a key moves seldom, and the algorithm computes only the moves: about
// ln(n) steps.
//
// Both functions have the same results in every run of every program.
//
// Functions without state; any thread.

#ifndef TROLLEY_ACTORS_POOLS_INTERNAL_KEY_HASH_H_
#define TROLLEY_ACTORS_POOLS_INTERNAL_KEY_HASH_H_

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "absl/strings/string_view.h"

namespace trolley::internal {

uint64_t HashNumber(uint64_t key);
uint64_t HashText(absl::string_view key);

template <typename Key>
uint64_t HashKey(const Key& key) {
  if constexpr (std::is_integral_v<Key> || std::is_enum_v<Key>) {
    return HashNumber(static_cast<uint64_t>(key));
  } else {
    static_assert(std::is_convertible_v<const Key&, absl::string_view>,
                  "a key is an integer, an enum or a string");
    return HashText(key);
  }
}

// 0 to workers - 1. There is at least one worker.
uint32_t WorkerOfKey(uint64_t hash, uint32_t workers);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_POOLS_INTERNAL_KEY_HASH_H_
