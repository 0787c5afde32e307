// SPDX-License-Identifier: Apache-2.0
//
// ProbeEntry: what a probe (actors/testing/probe.h) knows of one of its
// messages: M, or R(M) for a message with a reply.
//
//   ProbeEntry<int64_t(GetBalance)>::Message   is GetBalance
//   ProbeEntry<int64_t(GetBalance)>::Result    is absl::StatusOr<int64_t>
//   ProbeTypeName<GetBalance>()                is "GetBalance"
//
// Ownership: types and functions; they keep nothing.
// Threads:   any.
// Bounds:    none.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_TESTING_PROBE_ENTRY_H_
#define TROLLEY_ACTORS_TESTING_PROBE_ENTRY_H_

#include <cstddef>
#include <functional>
#include <ostream>
#include <sstream>
#include <string>
#include <type_traits>
#include <typeinfo>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace trolley::testing {

// What a function that gives a reply R returns.
template <typename R>
struct ProbeResult {
  using Type = absl::StatusOr<R>;
};
template <>
struct ProbeResult<void> {
  using Type = absl::Status;
};
template <>
struct ProbeResult<absl::Status> {
  using Type = absl::Status;
};
template <typename T>
struct ProbeResult<absl::StatusOr<T>> {
  using Type = absl::StatusOr<T>;
};

template <typename Entry>
struct ProbeEntry {
  using Message = Entry;
  using Result = void;
  using Answer = std::function<void(const Message&)>;
};
template <typename R, typename M>
struct ProbeEntry<R(M)> {
  using Message = M;
  using Result = typename ProbeResult<R>::Type;
  using Answer = std::function<Result(const Message&)>;
};

template <typename M, typename... Entries>
inline constexpr bool kProbeTakes =
    (std::is_same_v<M, typename ProbeEntry<Entries>::Message> || ...);

// The entry of message M among `Entries`, and its index.
template <typename M, typename Entry, typename... Rest>
struct ProbeEntryOf {
  static_assert(kProbeTakes<M, Entry, Rest...>,
                "this message is not among the entries of the probe");
  using Next = ProbeEntryOf<M, Rest...>;
  using Result = typename Next::Result;
  using Answer = typename Next::Answer;
  static constexpr size_t kIndex = 1 + Next::kIndex;
};
template <typename M, typename Entry, typename... Rest>
requires(std::is_same_v<M, typename ProbeEntry<Entry>::Message>)  //
    struct ProbeEntryOf<M, Entry, Rest...> : ProbeEntry<Entry> {
  static constexpr size_t kIndex = 0;
};

// The name of a type, for people.
std::string ProbeTypeNameOf(const std::type_info& type);
template <typename M>
std::string ProbeTypeName() {
  return ProbeTypeNameOf(typeid(M));
}

// The name of the type, and the value if it has an operator<<.
template <typename M>
std::string DescribeToProbe(const M& message) {
  if constexpr (requires(std::ostream & to) { to << message; }) {
    std::ostringstream text;
    text << message;
    return absl::StrCat(ProbeTypeName<M>(), "{", text.str(), "}");
  } else {
    return ProbeTypeName<M>();
  }
}

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_PROBE_ENTRY_H_
