// SPDX-License-Identifier: Apache-2.0
//
// Awaited<Operation, Given...>: what a verb returns whose result is awaited and
// which was given arguments of these types. It is Operation itself, but for a
// compiler that destroys some temporaries of a co_await expression twice: g++
// before 13, those that are structs made by braces, or lambdas. There, if one
// of Given may be such a temporary, it is an Operation that is awaited by name:
//
//   co_await ref.Ask(Text{.text = s}, t);                // does not compile
//   co_await ref.Ask<Text>(t, s);                        // no temporary
//   auto ask = ref.Ask(Text{.text = s}, t);              // not in the
//   co_await ask;                                        // co_await expression
//
// As an Operation. Inside actors/ only; users meet it in the compiler's errors.

#ifndef TROLLEY_ACTORS_AWAITED_H_
#define TROLLEY_ACTORS_AWAITED_H_

#include <type_traits>
#include <utility>

#include "trolley/actors/type_name.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool kTemporariesMayDieTwice = true;
#else
inline constexpr bool kTemporariesMayDieTwice = false;
#endif

// `Given` as deduced for a parameter Given&&: no reference for an rvalue.
template <typename Given>
inline constexpr bool kMayDieTwice =
    kTemporariesMayDieTwice && !std::is_reference_v<Given> &&
    !std::is_trivially_destructible_v<Given> &&
    (std::is_aggregate_v<Given> || kIsLambda<std::remove_cv_t<Given>>);

// The compiler goes on with this type after its error.
template <typename Operation>
struct NotAwaited {
  bool await_ready();
  void await_suspend(std::coroutine_handle<> at);
  decltype(std::declval<Operation&>().await_resume()) await_resume();
};

template <typename Operation, typename... Given>
class [[nodiscard]] AwaitedByName final : public Operation {
 public:
  using Operation::Operation;

  // For a temporary, which has no name.
  template <typename O = Operation>
  NotAwaited<O> operator co_await() && {
    static_assert(
        sizeof(O) == 0,
        "this compiler would destroy an argument of this operation twice. Give "
        "the verb the message's type and its members: co_await "
        "ref.Ask<Message>(timeout, members...), co_await "
        "ref.Send<Message>(members...); or name the operation: auto asking = "
        "ref.Ask(...); co_await asking;");
    return {};
  }
};

template <typename Operation, typename... Given>
using Awaited =
    std::conditional_t<(kMayDieTwice<Given> || ...),
                       AwaitedByName<Operation, Given...>, Operation>;

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_AWAITED_H_
