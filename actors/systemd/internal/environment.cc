// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/systemd/internal/environment.h"

#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {

std::string TakeVariable(const char* name) {
  const char* const value = std::getenv(name);
  std::string taken = value != nullptr ? value : "";
  ::unsetenv(name);
  return taken;
}

absl::StatusOr<int64_t> NumberIn(absl::string_view variable,
                                 absl::string_view text, int64_t least,
                                 int64_t most) {
  int64_t number = 0;
  if (absl::SimpleAtoi(text, &number) && number >= least && number <= most) {
    return number;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(variable, " is ", Printable(text), "; it is a number from ",
                   least, " to ", most));
}

}  // namespace trolley::internal
