// SPDX-License-Identifier: Apache-2.0
//
// Printable: text from outside, made safe for a terminal, a log, a Status or a
// Protobuf string. Texts from outside are: what a peer wrote, the text of an
// exception, what a library says, and names and paths that nobody has checked.
// Each goes through this function where it comes in.
//
// What could move a cursor, hide or reorder text, or is no UTF-8, is written
// as \xNN; everything else stays as it is. The result is one line of valid
// UTF-8. Printable text stays as it is, so to call it twice does no harm.
//
// A function without state, thread-safe.

#ifndef TROLLEY_POLLER_PRINTABLE_H_
#define TROLLEY_POLLER_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace trolley {

// The most of one text from outside within a Status or a line of the log, in
// bytes. 512: several sentences, and it fits into the smallest frame that the
// peer of a link may ask for.
inline constexpr size_t kMaxTextBytes = 512;

// For output that is the text itself, such as a reply in JSON.
inline constexpr size_t kWholeText = static_cast<size_t>(-1);

// At most `most_bytes`, and a mark that some are missing: "...".
std::string Printable(absl::string_view text,
                      size_t most_bytes = kMaxTextBytes);

}  // namespace trolley

#endif  // TROLLEY_POLLER_PRINTABLE_H_
