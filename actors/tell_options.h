// SPDX-License-Identifier: Apache-2.0
//
// TellOptions: what a sender may add to a message.
//
//   const trolley::Instant now = context().Now();
//   ref.TellWith({.deadline = now + absl::Seconds(1)}, Deposit{25});
//
// A value; any thread.

#ifndef TROLLEY_ACTORS_TELL_OPTIONS_H_
#define TROLLEY_ACTORS_TELL_OPTIONS_H_

#include "trolley/bus/trace_context.h"
#include "trolley/poller/instant.h"

namespace trolley {

struct TellOptions {
  // A message that waits in the mailbox at this time is dropped, and counted as
  // expired. A handler that is suspended then is cancelled.
  Instant deadline = Instant::Infinite();
  // Not valid(): the trace of the message in hand, if there is one.
  TraceContext trace = {};
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TELL_OPTIONS_H_
