// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/registrations.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace trolley {
namespace {

absl::string_view Name(const Capabilities& capabilities) {
  return {capabilities.name.data(), capabilities.name.size()};
}

}  // namespace

absl::Status CheckTrigger(const Capabilities& capabilities, Interest interest) {
  if (interest.trigger == Trigger::kEdge && !capabilities.edge) {
    return absl::UnimplementedError(
        absl::StrCat(Name(capabilities), " has no edge trigger"));
  }
  if (interest.trigger == Trigger::kOneshot && !capabilities.oneshot) {
    return absl::UnimplementedError(
        absl::StrCat(Name(capabilities), " has no oneshot trigger"));
  }
  return absl::OkStatus();
}

absl::Status CheckAdd(const Capabilities& capabilities, size_t registered,
                      int fd, Token token, Interest interest) {
  if (fd < 0) {
    return absl::InvalidArgumentError(absl::StrCat("no descriptor: ", fd));
  }
  if (token.slot == Token::kReservedSlot) {
    return absl::InvalidArgumentError("the token's slot is the reserved one");
  }
  if (fd > capabilities.max_fd) {
    return absl::OutOfRangeError(
        absl::StrCat("fd ", fd, " is above the highest that ",
                     Name(capabilities), " accepts, ", capabilities.max_fd));
  }
  if (registered >= capabilities.max_descriptors) {
    return absl::ResourceExhaustedError(
        absl::StrCat(Name(capabilities), " watches ", registered,
                     " descriptors, its most, already"));
  }
  return CheckTrigger(capabilities, interest);
}

absl::Status AlreadyRegistered(int fd) {
  return absl::AlreadyExistsError(
      absl::StrCat("fd ", fd, " is registered already"));
}

absl::Status NotRegistered(int fd) {
  return absl::NotFoundError(
      absl::StrCat("fd ", fd, " is not registered with this token"));
}

}  // namespace trolley
