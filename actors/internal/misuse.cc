// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/internal/misuse.h"

#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"

namespace trolley::internal {

void ThrowMisuse(absl::string_view sentence) {
  throw std::logic_error(std::string(sentence));
}

void ThrowNoHandler(absl::string_view what) {
  ThrowMisuse(absl::StrCat(
      what,
      " works in a coroutine handler only: in the trolley::Task that an "
      "actor's "
      "On() returns or RunInBackground() runs, or that one of these awaits; on "
      "the loop of that actor, and for that actor"));
}

}  // namespace trolley::internal
