// SPDX-License-Identifier: Apache-2.0
//
// Awaited<Operation, Given...>: the type of a co_await-able result of a verb
// that got arguments of the types Given. It is Operation, except with g++ 12
// and older. These compilers destroy some temporaries of a co_await expression
// twice: structs made with braces, and lambdas. With them, and if one of Given
// may be such a temporary, the result has to be given a name first:
//
//   co_await ref.Ask(Text{.text = s}, t);        // does not compile
//   co_await ref.Ask<Text>(t, s);                // compiles: no temporary
//   auto ask = ref.Ask(Text{.text = s}, t);      // compiles: the temporary is
//   co_await ask;                                // not in the co_await
//
// Ownership, threads, bounds and ends: as Operation. Users see it in compiler
// errors only.

#ifndef TROLLEY_ACTORS_INTERNAL_AWAITED_H_
#define TROLLEY_ACTORS_INTERNAL_AWAITED_H_

#include <type_traits>
#include <utility>

#include "trolley/actors/internal/type_name.h"
#include "trolley/poller/cxx20.h"

namespace trolley::internal {

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool kTemporariesMayDieTwice = true;
#else
inline constexpr bool kTemporariesMayDieTwice = false;
#endif

// `Given` is deduced for a parameter Given&&, so it is no reference for an
// rvalue.
template <typename Given>
inline constexpr bool kMayDieTwice =
    kTemporariesMayDieTwice && !std::is_reference_v<Given> &&
    !std::is_trivially_destructible_v<Given> &&
    (std::is_aggregate_v<Given> || kIsLambda<std::remove_cv_t<Given>>);

// The compiler uses this type after its error, and so reports no second one.
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

  // Called for a result without a name only.
  template <typename O = Operation>
  NotAwaited<O> operator co_await() && {
    static_assert(
        sizeof(O) == 0,
        "this compiler would destroy an argument of this operation twice. Give "
        "the verb the message's type and its members: co_await "
        "ref.Ask<Message>(timeout, members...), co_await "
        "ref.Send<Message>(members...); or name the operation: auto ask = "
        "ref.Ask(...); co_await ask;");
    return {};
  }
};

template <typename Operation, typename... Given>
using Awaited =
    std::conditional_t<(kMayDieTwice<Given> || ...),
                       AwaitedByName<Operation, Given...>, Operation>;

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_AWAITED_H_
