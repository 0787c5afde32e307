// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/internal/pause.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/context.h"

namespace trolley::internal {

Instant Now() {
  const std::optional<ActorContext> context = ActorContext::OfThisThread();
  return context.has_value() ? context->Now() : Instant();
}

Task<> PauseUntil(Instant end) {
  AsyncCondition never_notified;
  co_await never_notified.Wait(end);
}

Task<> PauseFor(absl::Duration length) { return PauseUntil(Now() + length); }

Instant EndOf(absl::Duration length) { return Now() + length; }
Instant EndOf(Instant deadline) { return deadline; }

absl::Status OutOfTime(absl::Duration length) {
  return absl::DeadlineExceededError(absl::StrCat(
      "the task has not ended within ", absl::FormatDuration(length)));
}
absl::Status OutOfTime(Instant) {
  return absl::DeadlineExceededError("the task has not ended by its deadline");
}

}  // namespace trolley::internal
