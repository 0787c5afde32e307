// SPDX-License-Identifier: Apache-2.0
//
// InfoOf: makes the ActorInfo of one actor.

#ifndef TROLLEY_BUS_LOOP_INFO_OF_H_
#define TROLLEY_BUS_LOOP_INFO_OF_H_

#include "trolley/bus/crossing/loop_inbox.h"
#include "trolley/bus/inspect.h"
#include "trolley/bus/mailbox/cell.h"

namespace trolley::internal {

// Loop thread only. An actor must live in `cell`.
ActorInfo InfoOf(const Cell& cell, const LoopInbox& inbox);

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_INFO_OF_H_
