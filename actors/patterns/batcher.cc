// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/batcher.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "trolley/actors/patterns/internal/option_range.h"

namespace trolley {

absl::Status ValidateBatcherOptions(const BatcherOptions& o) {
  using internal::InRange;
  constexpr size_t kMost = BatcherOptions::kMost;
  constexpr size_t kLeast = 1;
  absl::Status status =
      InRange("BatcherOptions::items", o.items, kLeast, kMost);
  status.Update(InRange("BatcherOptions::bytes", o.bytes, kLeast, kMost));
  status.Update(InRange("BatcherOptions::waiting", o.waiting, kLeast, kMost));
  status.Update(
      InRange("BatcherOptions::waiting_bytes", o.waiting_bytes, kLeast, kMost));
  return status;
}

namespace internal {

BatcherBase::BatcherBase(const BatcherOptions& options)
    : options_(options), valid_(ValidateBatcherOptions(options_)) {}

void BatcherBase::Close() {
  closed_ = true;
  changed_.Notify();
}

absl::Status BatcherBase::Admit(size_t bytes) {
  absl::Status status = valid_;
  if (closed_) {
    status.Update(absl::FailedPreconditionError(
        "the batcher is closed, and takes no more items"));
  } else if (sizes_.size() >= options_.waiting) {
    status.Update(absl::ResourceExhaustedError(
        absl::StrCat("BatcherOptions::waiting = ", options_.waiting,
                     " items wait for a batch")));
  } else if (bytes > options_.waiting_bytes ||
             bytes_ > options_.waiting_bytes - bytes) {
    status.Update(absl::ResourceExhaustedError(absl::StrCat(
        bytes_, " bytes wait for a batch, and with ", bytes,
        " more they would be above BatcherOptions::waiting_bytes = ",
        options_.waiting_bytes)));
  }
  if (!status.ok()) {
    ++stats_.refused;
    return status;
  }
  ++stats_.added;
  sizes_.push_back({bytes, Now()});
  bytes_ += bytes;
  if (sizes_.size() == 1 || IsDue()) changed_.Notify();
  return status;
}

bool BatcherBase::IsDue() const {
  if (closed_) return true;
  if (sizes_.empty()) return false;
  // mutant: P23_BytesMakeNoBatchFull
  return sizes_.size() >= options_.items || bytes_ >= options_.bytes ||
         sizes_.front().since_ + options_.age <= Now();
}

Task<> BatcherBase::WaitUntilDue() {
  while (!IsDue()) {
    co_await changed_.Wait(sizes_.empty()
                               ? Instant::Infinite()
                               : sizes_.front().since_ + options_.age);
  }
}

size_t BatcherBase::TakeBatch() {
  const size_t count = Take(options_.items, options_.bytes);
  if (count > 0) ++stats_.batches;
  return count;
}

size_t BatcherBase::TakeRest() {
  return Take(sizes_.size(), std::numeric_limits<size_t>::max());
}

// Takes the first item whatever its size.
size_t BatcherBase::Take(size_t most, size_t most_bytes) {
  size_t count = 0;
  size_t bytes = 0;
  while (count < most && !sizes_.empty() &&
         (count == 0 || sizes_.front().bytes <= most_bytes - bytes)) {
    bytes += sizes_.front().bytes;
    sizes_.pop_front();
    ++count;
    if (bytes >= most_bytes) break;
  }
  // mutant: P23_TheBytesOfABatchStayCounted
  bytes_ -= bytes;
  stats_.given += count;
  return count;
}

}  // namespace internal
}  // namespace trolley
