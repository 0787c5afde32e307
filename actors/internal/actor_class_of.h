// SPDX-License-Identifier: Apache-2.0
//
// ActorClassOf<A>: the ActorClass (bus/mailbox/actor_class.h) of a C++ class of
// actors. It is static and immutable; any thread.

#ifndef TROLLEY_ACTORS_INTERNAL_ACTOR_CLASS_OF_H_
#define TROLLEY_ACTORS_INTERNAL_ACTOR_CLASS_OF_H_

#include <type_traits>

#include "absl/status/status.h"
#include "trolley/actors/internal/type_name.h"
#include "trolley/actors/task.h"
#include "trolley/actors/wire_methods.h"
#include "trolley/bus/address.h"
#include "trolley/bus/mailbox/actor_base.h"
#include "trolley/bus/mailbox/actor_class.h"

namespace trolley::internal {

// Checks for Spawn<A>(options, args...), so that the error is about A.
template <typename A, typename... Args>
constexpr bool CanBeSpawned() {
  static_assert(std::is_base_of_v<ActorBase, A>,
                "only an actor can be spawned: derive A from trolley::Actor");
  static_assert(!std::is_abstract_v<A>,
                "A has a pure virtual function, so it cannot be spawned");
  if constexpr (std::is_base_of_v<ActorBase, A> && !std::is_abstract_v<A>) {
    static_assert(std::is_constructible_v<A, Args...>,
                  "A has no public constructor that takes the arguments of "
                  "Spawn() after the options");
  }
  return true;
}

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

// A background task that an actor begins at its start. The actor takes no
// message before it has finished, unless it is interleaved.
HandlerCoroutine* StartTask(Task<absl::Status> task, bool interleaved);
// A::OnStartTask() has finished without an error.
void HasStarted(ActorBase& actor);

template <typename A>
Task<absl::Status> RunStartTask(A& actor) {
  absl::Status status = co_await actor.OnStartTask();
  if (status.ok()) HasStarted(actor);
  co_return status;
}

template <typename A>
constexpr auto StartTaskOf() -> HandlerCoroutine* (*)(ActorBase&) {
  if constexpr (requires(A & actor) { actor.OnStartTask(); }) {
    return [](ActorBase& actor) {
      return StartTask(RunStartTask(static_cast<A&>(actor)),
                       IsInterleaved<A>());
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
      .start_task = StartTaskOf<A>(),
      .leaves_by = LeavesByOf<A>(),
  };
  return &kClass;
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_ACTOR_CLASS_OF_H_
