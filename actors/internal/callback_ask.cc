// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/internal/callback_ask.h"

#include <exception>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {

absl::Status ReplyThrew() {
  try {
    throw;
  } catch (const std::exception& thrown) {
    return absl::InternalError(
        absl::StrCat("the reply threw: ",
                     thrown.what() != nullptr ? Printable(thrown.what()) : ""));
  } catch (...) {
    return absl::InternalError(
        "the reply threw something that is no std::exception");
  }
}

}  // namespace trolley::internal
