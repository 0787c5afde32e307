// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/idempotency_options.h"

#include "trolley/actors/patterns/internal/option_range.h"

namespace trolley {

absl::Status ValidateIdempotencyOptions(const IdempotencyOptions& o) {
  using internal::InRange;
  constexpr size_t kMost = IdempotencyOptions::kMost;
  absl::Status status =
      InRange("IdempotencyOptions::keys", o.keys, size_t{1}, kMost);
  status.Update(
      InRange("IdempotencyOptions::bytes", o.bytes, size_t{1}, kMost));
  status.Update(
      InRange("IdempotencyOptions::waiting", o.waiting, size_t{0}, kMost));
  return status;
}

}  // namespace trolley
