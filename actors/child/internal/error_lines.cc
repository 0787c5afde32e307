// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/internal/error_lines.h"

#include <algorithm>

#include "trolley/poller/printable.h"

namespace trolley::internal {

void ErrorLines::Add(absl::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    // One more than is printed, so that Printable() says that it is cut.
    const size_t room = kMaxTextBytes + 1 - line_.size();
    const absl::string_view part = bytes.substr(0, std::min(end, room));
    line_.append(part.data(), part.size());
    if (end == bytes.size()) return;
    EndLine();
    bytes.remove_prefix(end + 1);
  }
}

void ErrorLines::EndLine() {
  if (line_.empty()) return;
  // mutant: P6_AllErrorsOfAChildProcessAreLogged
  if (lines_.size() < kMostLines) {
    // mutant: P14_ErrorsOfAChildProcessAreLoggedAsTheyAre
    lines_.push_back(Printable(line_));
  } else {
    ++left_out_;
  }
  line_.clear();
}

}  // namespace trolley::internal
