// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/supervision/supervisor_messages.h"

#include <ostream>

namespace trolley {

absl::string_view ChildStateName(ChildState state) {
  switch (state) {
    case ChildState::kWaiting:
      return "waiting";
    case ChildState::kStarting:
      return "starting";
    case ChildState::kUp:
      return "up";
    case ChildState::kStopping:
      return "stopping";
    case ChildState::kStuck:
      return "stuck";
    case ChildState::kEnded:
      return "ended";
  }
  return "";
}

std::ostream& operator<<(std::ostream& to, ChildState state) {
  return to << ChildStateName(state);
}

}  // namespace trolley
