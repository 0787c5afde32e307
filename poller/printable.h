// SPDX-License-Identifier: Apache-2.0
//
// Printable: makes a text from outside safe for a terminal, a log, a Status or
// a Protobuf string. A text is from outside if the program did not choose it: a
// peer wrote it, an exception or a library carries it, or it is a name or a
// path that was not checked. Call Printable() where such a text enters.
//
//   log(absl::StrCat("the peer says: ", Printable(text)));
//
// The result is one line of valid UTF-8. These are written as \xNN, and all
// else is copied:
//
//   bytes that are not valid UTF-8
//   control characters
//   characters that hide or reorder text
//
// Printable text does not change, so calling it twice does no harm.
//
// Threads:   thread-safe; no state.
// Bounds:    `most_bytes`.

#ifndef TROLLEY_POLLER_PRINTABLE_H_
#define TROLLEY_POLLER_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace trolley {

// The limit for one text from outside in a Status or in a line of the log, in
// bytes. 512: room for several sentences, and it fits into the smallest frame
// limit that the peer of a link may set.
inline constexpr size_t kMaxTextBytes = 512;

// No limit: for output that is the text itself, such as a reply in JSON.
inline constexpr size_t kWholeText = static_cast<size_t>(-1);

// Returns the printable form of `text`. If that is longer than `most_bytes`, it
// is cut there and "..." is appended.
std::string Printable(absl::string_view text,
                      size_t most_bytes = kMaxTextBytes);

}  // namespace trolley

#endif  // TROLLEY_POLLER_PRINTABLE_H_
