// SPDX-License-Identifier: Apache-2.0
//
// Handles<A, M>: whether a message of type M may be sent to an actor of class
// A. It may if an On() of A takes exactly M: by value, by const reference or by
// rvalue reference. The message is read later and on another thread, so it is
// not converted. A type that only refers to data (a pointer, an array, a view)
// must be named by the sender: ref.Tell<const char*>(p).
//
// Resolved at compile time. Users see it in compiler errors, which name the
// types: "required from 'struct trolley::ActorHandles<Account, Withdraw>'".

#ifndef TROLLEY_ACTORS_INTERNAL_MESSAGE_OF_H_
#define TROLLEY_ACTORS_INTERNAL_MESSAGE_OF_H_

#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {
template <typename A, typename M>
concept OnCanBeCalledWith = requires(A& actor, M&& message) {
  actor.On(std::move(message));
};
template <typename A, typename M>
using OnReturns = decltype(std::declval<A&>().On(std::declval<M>()));

// A has an On() of type F.
template <typename A, typename F>
concept HasOn = requires {
  static_cast<F>(&A::On);
};

// A has an On() that returns an R and whose parameter is a P.
template <typename A, typename R, typename P>
concept HasOnOf = HasOn<A, R (A::*)(P)> || HasOn<A, R (A::*)(P) const> ||
    HasOn<A, R (A::*)(P)&> || HasOn<A, R (A::*)(P) const&> ||
    HasOn<A, R (*)(P)>;

// The parameter of the On() that is called for an M is an M.
template <typename A, typename M, typename R = OnReturns<A, M>>
concept OnTakesExactly =
    HasOnOf<A, R, M> || HasOnOf<A, R, const M&> || HasOnOf<A, R, M&&>;

template <typename T>
inline constexpr bool kRefersToOthers = std::is_pointer_v<T>;
template <typename T>
inline constexpr bool kRefersToOthers<std::reference_wrapper<T>> = true;
template <typename T>
inline constexpr bool kRefersToOthers<std::initializer_list<T>> = true;
template <typename C, typename Traits>
inline constexpr bool kRefersToOthers<std::basic_string_view<C, Traits>> = true;
template <typename T, size_t kSize>
inline constexpr bool kRefersToOthers<std::span<T, kSize>> = true;
template <typename T>
inline constexpr bool kRefersToOthers<absl::Span<T>> = true;
// absl::string_view may be std::string_view; then both give the same answer.
template <typename T>
requires std::is_same_v<T, absl::string_view>
inline constexpr bool kRefersToOthers<T> = true;

// If `kNeeded`: the compiler reports why it cannot call On().
template <typename A, typename M, bool kNeeded>
struct CompilerSays {};
template <typename A, typename M>
struct CompilerSays<A, M, true> {
  using Said = decltype(std::declval<A&>().On(std::declval<M>()));
};

// The class M has the line `static constexpr bool kUrgent = true;`.
template <typename M>
inline constexpr bool kIsUrgent = false;
template <typename M>
requires requires { M::kUrgent; }
inline constexpr bool kIsUrgent<M> = M::kUrgent;

// True if `A` has an On() that takes an M.
template <typename A, typename M>
concept Handles = OnCanBeCalledWith<A, M> && OnTakesExactly<A, M>;

// Compiles if `A` handles M.
template <typename A, typename M>
struct ActorHandles : CompilerSays<A, M, !OnCanBeCalledWith<A, M>> {
  static_assert(std::is_same_v<M, std::decay_t<M>>,
                "the type of a message is neither const, nor a reference, nor "
                "an array");
  static_assert(OnCanBeCalledWith<A, M>,
                "this actor has no On() for this message that could be called: "
                "the compiler says in the lines around this one whether there "
                "is none, or it is private, or several fit. The two types are "
                "the arguments of ActorHandles<Actor, Message>");
  static_assert(OnTakesExactly<A, M> || !OnCanBeCalledWith<A, M>,
                "this actor's On() would convert this message on the actor's "
                "thread; send what On() takes, or name it and give what it is "
                "made from: ref.Tell<Message>(args...). The two types are the "
                "arguments of ActorHandles<Actor, Message>");
};

// The type of the message when an expression of type X is sent to an A. X is a
// reference for an lvalue.
template <typename A, typename X>
struct SentWhole {
  using Type = std::decay_t<X>;
  static_assert(!std::is_array_v<std::remove_reference_t<X>>,
                "an array would be sent as a pointer to it; send a std::string "
                "or a std::array. The types are the arguments of "
                "SentWhole<Actor, Message>");
  static_assert(std::is_array_v<std::remove_reference_t<X>> ||
                    !kRefersToOthers<Type>,
                "this message only refers to what others own, and is read on "
                "another thread; if that is meant, name its type: "
                "ref.Tell<const char*>(p). The types are the arguments of "
                "SentWhole<Actor, Message>");
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_MESSAGE_OF_H_
