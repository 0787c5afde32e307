// SPDX-License-Identifier: Apache-2.0
//
// Gives tests access to the internals of a bus. Thread-safe as far as the
// returned objects are.

#ifndef TROLLEY_TESTS_BUS_INSIDE_H_
#define TROLLEY_TESTS_BUS_INSIDE_H_

#include "trolley/actors/bus.h"
#include "trolley/actors/context.h"
#include "trolley/bus/loop/loop.h"

namespace trolley {

inline const internal::BusState::Ptr& StateOf(const Bus& bus) {
  return BusAccess::core(bus).state();
}
inline internal::Loop& LoopOf(Bus& bus, int index) {
  return BusAccess::core(bus).loop(index);
}
inline internal::Loop& LoopOf(ActorContext context) {
  return ContextAccess::loop(context);
}

// Gives a loop that no thread runs its turns until it has nothing to do.
inline void RunUntilQuiet(internal::Loop& loop) {
  bool worked = true;
  while (worked) worked = loop.RunOnce();
}

}  // namespace trolley

#endif  // TROLLEY_TESTS_BUS_INSIDE_H_
