// SPDX-License-Identifier: Apache-2.0
//
// ActorClassOf<A>: the ActorClass (bus/mailbox/actor_class.h) of a C++ class of
// actors. It is static and immutable; any thread.

#ifndef TROLLEY_ACTORS_INTERNAL_ACTOR_CLASS_OF_H_
#define TROLLEY_ACTORS_INTERNAL_ACTOR_CLASS_OF_H_

#include "trolley/actors/internal/type_name.h"
#include "trolley/actors/wire_methods.h"
#include "trolley/bus/address.h"
#include "trolley/bus/mailbox/actor_class.h"

namespace trolley::internal {
// A::kInterleaved, if there is one.
template <typename A>
constexpr bool IsInterleaved() {
  if constexpr (requires { A::kInterleaved; }) {
    return A::kInterleaved;
  } else {
    return false;
  }
}

// A::kOvertime, if there is one.
template <typename A>
constexpr absl::Duration OvertimeOf() {
  if constexpr (requires { A::kOvertime; }) {
    return A::kOvertime;
  } else {
    return absl::ZeroDuration();
  }
}

template <typename A>
constexpr auto LeavesByOf() -> LeavesBy (*)(const ActorBase&) {
  if constexpr (kLeadsOverALink<A>) {
    return [](const ActorBase& actor) -> LeavesBy {
      const Address& link = static_cast<const A&>(actor).link().address();
      return {.link = link.id(), .bus = link.bus()};
    };
  } else {
    return nullptr;
  }
}

template <typename A>
const ActorClass* ActorClassOf() {
  static constexpr ActorClass kClass = {
      .name = &TypeName<A>,
      .wire_methods = &WireMethodsOf<A>,
      .interleaved = IsInterleaved<A>(),
      .overtime = OvertimeOf<A>(),
      .leaves_by = LeavesByOf<A>(),
  };
  return &kClass;
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_ACTOR_CLASS_OF_H_
