// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/link.h"

namespace trolley {

absl::string_view LinkEndName(LinkEnd end) {
  switch (end) {
    case LinkEnd::kNoConnection:
      return "no connection";
    case LinkEnd::kHandshake:
      return "handshake";
    case LinkEnd::kGoAway:
      return "goaway";
    case LinkEnd::kLost:
      return "lost";
    case LinkEnd::kBrokenRule:
      return "broken rule";
    case LinkEnd::kPeerError:
      return "peer error";
    case LinkEnd::kNotReading:
      return "not reading";
    case LinkEnd::kSilent:
      return "silent";
    case LinkEnd::kStopped:
      return "stopped";
    case LinkEnd::kSystem:
      return "system";
  }
  return "unknown";
}

}  // namespace trolley
