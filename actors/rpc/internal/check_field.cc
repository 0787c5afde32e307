// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/internal/check_field.h"

#include "absl/strings/str_cat.h"

namespace trolley::internal {

absl::Status CheckField::Number(absl::string_view field, uint32_t value,
                                uint32_t most) const {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(prefix_, field, " is ", value, "; it is 1 to ", most));
}

absl::Status CheckField::Time(absl::string_view field,
                              absl::Duration value) const {
  if (value >= absl::Milliseconds(1)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(prefix_, field, " is ", absl::FormatDuration(value),
                   "; it is 1 ms or longer, or infinite"));
}

}  // namespace trolley::internal
