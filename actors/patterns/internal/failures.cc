// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/patterns/internal/failures.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace trolley::internal {

std::string Brief(const absl::Status& error) {
  const absl::string_view text = error.message();
  return absl::StrCat(absl::StatusCodeToString(error.code()), ": ",
                      text.substr(0, kMostText),
                      text.size() > kMostText ? "..." : "");
}

absl::Status NoSuchQuorum(size_t needed, size_t count) {
  return absl::InvalidArgumentError(
      absl::StrCat("a quorum of ", needed, " of ", count,
                   " tasks; at least 1 and at most all of them are needed"));
}

void Failures::Add(size_t index, const absl::Status& error) {
  last_ = error.code();
  if (++count_ > named_) return;
  absl::StrAppend(&text_, "; [", index, "] ", Brief(error));
}

absl::Status Failures::Explain(size_t succeeded, size_t needed,
                               size_t count) const {
  return absl::Status(
      last_, absl::StrCat(succeeded, " of ", count, " tasks have succeeded, ",
                          needed, " are needed, and ", count_, " have failed",
                          text_, count_ > named_ ? "; ..." : ""));
}

}  // namespace trolley::internal
