// SPDX-License-Identifier: Apache-2.0
//
// TypeName<T>(): the name of a type as its author wrote it, for people; not an
// identifier that crosses a process. Thread-safe, computed at compile time.

#ifndef TROLLEY_ACTORS_TYPE_NAME_H_
#define TROLLEY_ACTORS_TYPE_NAME_H_

#include "absl/strings/string_view.h"

namespace trolley {

template <typename T>
absl::string_view TypeName() {
  // "... TypeName() [with T = wordcount::Add; ..." or "... [T =
  // wordcount::Add]"
  absl::string_view text = __PRETTY_FUNCTION__;
  const size_t begin = text.find("T = ") + 4;
  return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TYPE_NAME_H_
