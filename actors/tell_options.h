// SPDX-License-Identifier: Apache-2.0
//
// TellOptions: what may go with a message that is told. A value.

#ifndef TROLLEY_ACTORS_TELL_OPTIONS_H_
#define TROLLEY_ACTORS_TELL_OPTIONS_H_

#include "trolley/bus/context.h"
#include "trolley/poller/instant.h"

namespace trolley {

// What may go with a Tell.
struct TellOptions {
  // After it the message is dropped and counted instead of handled.
  Instant deadline = Instant::Infinite();
  // Default: that of the message in hand.
  TraceContext trace = {};
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TELL_OPTIONS_H_
