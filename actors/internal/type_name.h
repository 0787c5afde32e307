// SPDX-License-Identifier: Apache-2.0
//
// TypeName<T>(): the name of a type for people, such as "wordcount::Add". It
// depends on the compiler, so do not send it to other processes as a key.
//
// Computed at compile time; thread-safe.

#ifndef TROLLEY_ACTORS_INTERNAL_TYPE_NAME_H_
#define TROLLEY_ACTORS_INTERNAL_TYPE_NAME_H_

#include <cstddef>
#include <string_view>

#include "absl/strings/string_view.h"

namespace trolley::internal {
template <typename T>
constexpr std::string_view NameInFunction() {
  // "... NameInFunction() [with T = wordcount::Add; ..." or "... [T =
  // wordcount::Add]"
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  return text.substr(0, text.find_first_of(";]"));
}

// True: the name is that of a lambda. C++ has no trait for it. A lambda is
// "main()::<lambda(int)>" for g++ and "(lambda at main.cc:3:5)" for clang. A
// template with such an argument, Holder<main()::<lambda(int)> >, is no lambda.
constexpr bool NamesLambda(std::string_view name) {
  const bool gnu = !name.empty() && name.back() == '>';
  const char open = gnu ? '<' : '(';
  const char close = gnu ? '>' : ')';
  int depth = 0;
  for (size_t at = name.size(); at > 0; --at) {
    const char c = name[at - 1];
    if (c == close) ++depth;
    if (c == open) --depth;
    if (depth > 0) continue;
    return name.substr(at - 1).find("lambda") == 1;
  }
  return false;
}

template <typename T>
inline constexpr bool kIsLambda = NamesLambda(NameInFunction<T>());

template <typename T>
absl::string_view TypeName() {
  constexpr std::string_view kName = NameInFunction<T>();
  return absl::string_view(kName.data(), kName.size());
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_TYPE_NAME_H_
