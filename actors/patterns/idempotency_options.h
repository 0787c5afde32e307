// SPDX-License-Identifier: Apache-2.0
//
// IdempotencyOptions: the limits of an Idempotency
// (actors/patterns/idempotency.h).
//
//   Idempotency<std::string, absl::Status> orders_{run, {.keys = 100}};
//
// A value; any thread.

#ifndef TROLLEY_ACTORS_PATTERNS_IDEMPOTENCY_OPTIONS_H_
#define TROLLEY_ACTORS_PATTERNS_IDEMPOTENCY_OPTIONS_H_

#include <cstddef>
#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace trolley {

struct IdempotencyOptions {
  static constexpr size_t kMost = size_t{1} << 40;

  // Keys that are worked for or kept; a count, 1 to kMost.
  size_t keys = 10'000;
  // When the kept results have so many bytes, a new key is refused; 1 to kMost.
  // Results of work that had begun before are kept all the same.
  size_t bytes = size_t{16} << 20;
  // Calls that wait for one key, beside the one that began the work; a count, 0
  // to kMost.
  size_t waiting = 64;
  // How long a result is kept. 10 min: longer than any sender tries again.
  // Negative or 0: until the work has ended. Infinite: as long as the actor
  // lives.
  absl::Duration age = absl::Minutes(10);
  // True: the error is kept as a value is. Null: no error is kept.
  std::function<bool(const absl::Status&)> keep_error = nullptr;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateIdempotencyOptions(const IdempotencyOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_IDEMPOTENCY_OPTIONS_H_
