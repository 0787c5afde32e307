// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/exit_reason.h"

namespace trolley {

std::string ExitReason::ToString() const {
  switch (kind) {
    case Kind::kUnknown:
      return "";
    case Kind::kStopped:
      return "it was stopped";
    case Kind::kDrained:
      return "it was stopped after what was in its mailbox";
    case Kind::kFailed:
      return error.ok() ? "it threw" : std::string(error.message());
    case Kind::kBusEnded:
      return "its bus shut down";
    case Kind::kLoopEnded:
      return "its loop ended";
    case Kind::kOwnerEnded:
      return "its owner ended";
  }
  return "";
}

}  // namespace trolley
