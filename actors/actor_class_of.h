// SPDX-License-Identifier: Apache-2.0
//
// ActorClassOf<A>: the one ActorClass (bus/actor_class.h) of a C++ class of
// actors. Static, immutable; any thread.

#ifndef TROLLEY_ACTORS_ACTOR_CLASS_OF_H_
#define TROLLEY_ACTORS_ACTOR_CLASS_OF_H_

#include "trolley/actors/type_name.h"
#include "trolley/actors/wire_methods.h"
#include "trolley/bus/actor_class.h"

namespace trolley {
namespace internal {

// Whether the class says that its actors are interleaved.
template <typename A>
constexpr bool IsInterleaved() {
  if constexpr (requires { A::kInterleaved; }) {
    return A::kInterleaved;
  } else {
    return false;
  }
}

// How long its handlers may go on after their deadline.
template <typename A>
constexpr absl::Duration OvertimeOf() {
  if constexpr (requires { A::kOvertime; }) {
    return A::kOvertime;
  } else {
    return absl::ZeroDuration();
  }
}

template <typename A>
constexpr auto LinkOf() -> const Address& (*)(const ActorBase&) {
  if constexpr (kLeadsOverALink<A>) {
    return [](const ActorBase& actor) -> const Address& {
      return static_cast<const A&>(actor).link().address();
    };
  } else {
    return nullptr;
  }
}

}  // namespace internal

template <typename A>
const ActorClass* ActorClassOf() {
  static constexpr ActorClass kClass = {
      .name = &TypeName<A>,
      .wire_methods = &internal::WireMethodsOf<A>,
      .interleaved = internal::IsInterleaved<A>(),
      .overtime = internal::OvertimeOf<A>(),
      .link_of = internal::LinkOf<A>(),
  };
  return &kClass;
}

}  // namespace trolley

#endif  // TROLLEY_ACTORS_ACTOR_CLASS_OF_H_
