// SPDX-License-Identifier: Apache-2.0
//
// ExitReason: why an actor has ended. A value; any thread.

#ifndef TROLLEY_BUS_EXIT_REASON_H_
#define TROLLEY_BUS_EXIT_REASON_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace trolley {

struct ExitReason {
  enum class Kind : uint8_t {
    kUnknown,   // it has not ended, or its reason is not kept any longer
    kStopped,   // it was told to end, by itself or by others
    kDrained,   // the same, after what was in its mailbox
    kFailed,    // it threw: `error`
    kBusEnded,  // its bus shut down
  };

  Kind kind = Kind::kUnknown;
  // Of kFailed: Internal, with the place and the text of the exception, such as
  // "its handler of Boom threw: disk full"; OK if that is not kept any longer.
  absl::Status error;

  // For people, to come after "has ended: ". Empty for kUnknown.
  std::string ToString() const;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_EXIT_REASON_H_
