// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/delivery.h"

#include <ostream>

#include "absl/strings/str_cat.h"

namespace trolley {

absl::string_view DeliveryName(Delivery delivery) {
  switch (delivery) {
    case Delivery::kAccepted:
      return "accepted";
    case Delivery::kFull:
      return "full";
    case Delivery::kGone:
      return "gone";
    case Delivery::kDraining:
      return "draining";
    case Delivery::kNotConnected:
      return "not connected";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& to, Delivery delivery) {
  return to << DeliveryName(delivery);
}

absl::Status DeliveryStatus(Delivery delivery, absl::string_view to) {
  switch (delivery) {
    case Delivery::kAccepted:
      return absl::OkStatus();
    case Delivery::kFull:
      return absl::ResourceExhaustedError(absl::StrCat(
          "the mailbox of ", to,
          " is full; send again later, or co_await Send() to wait for room"));
    case Delivery::kGone:
      return absl::NotFoundError(absl::StrCat(to, " has ended"));
    case Delivery::kDraining:
      return absl::UnavailableError(
          absl::StrCat("the bus is shutting down; ", to, " takes no new work"));
    case Delivery::kNotConnected:
      return absl::UnavailableError(
          absl::StrCat("the link of ", to, " is not connected"));
  }
  return absl::InternalError("unknown delivery code");
}

absl::string_view NoAnswerName(NoAnswer reason) {
  switch (reason) {
    case NoAnswer::kNone:
      return "none";
    case NoAnswer::kExpired:
      return "expired";
    case NoAnswer::kGone:
      return "gone";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& to, NoAnswer reason) {
  return to << NoAnswerName(reason);
}

}  // namespace trolley
