// SPDX-License-Identifier: Apache-2.0
//
// InRange: the check of an option that is a number.
//
//   status.Update(InRange("BulkheadOptions::at_once", o.at_once, 1, kMost));
//
// Ownership: keeps nothing.
// Threads:   any.

#ifndef TROLLEY_ACTORS_PATTERNS_INTERNAL_OPTION_RANGE_H_
#define TROLLEY_ACTORS_PATTERNS_INTERNAL_OPTION_RANGE_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace trolley::internal {

// OK, or InvalidArgument: the text names the field, its value and its range. A
// NaN is in no range.
template <typename Number>
absl::Status InRange(absl::string_view field, Number value, Number least,
                     Number most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", value, "; it is ", least, " to ", most));
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PATTERNS_INTERNAL_OPTION_RANGE_H_
