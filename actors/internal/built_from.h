// SPDX-License-Identifier: Apache-2.0
//
// BuiltFrom<Message, Args...>: whether a message can be built from arguments:
// from another message, or from what its constructor or its members take.
// Resolved at compile time. Users see MessageFrom in compiler errors.

#ifndef TROLLEY_ACTORS_INTERNAL_BUILT_FROM_H_
#define TROLLEY_ACTORS_INTERNAL_BUILT_FROM_H_

#include <type_traits>
#include <utility>

#include "trolley/bus/message/envelope.h"

namespace trolley::internal {

template <typename Message, typename... Args>
concept BuiltFrom = requires(Args&&... args) {
  requires Envelope::kTakesMembers<Message, Args...>;
  Message{std::forward<Args>(args)...};
}
|| (!Envelope::kTakesMembers<Message, Args...> &&
    std::is_constructible_v<Message, Args...>);

// Compiles if Message can be built from Args.
template <typename Message, typename... Args>
struct MessageFrom {
  static_assert(BuiltFrom<Message, Args...>,
                "the message cannot be built from these arguments; the types "
                "are the arguments of MessageFrom<Message, Arguments...>");
};

template <typename Message, typename... Args>
constexpr bool BuildsWithoutThrowing() {
  if constexpr (Envelope::kTakesMembers<Message, Args...>) {
    return noexcept(Message{std::declval<Args>()...});
  } else {
    return std::is_nothrow_constructible_v<Message, Args...>;
  }
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_BUILT_FROM_H_
