// SPDX-License-Identifier: Apache-2.0
//
// Printable: text from outside, made safe for a terminal, a log or a Protobuf
// string. What could move a cursor, hide or reorder text, or is no UTF-8, is
// written as \xNN; everything else stays as it is. The result is one line of
// valid UTF-8.
//
// A function without state, thread-safe.

#ifndef TROLLEY_ACTORS_PRINTABLE_H_
#define TROLLEY_ACTORS_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace trolley {

// At most `most_bytes` and a mark that some are missing: "...".
std::string Printable(absl::string_view text,
                      size_t most_bytes = static_cast<size_t>(-1));

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PRINTABLE_H_
