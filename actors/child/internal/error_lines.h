// SPDX-License-Identifier: Apache-2.0
//
// ErrorLines: cuts the standard error of a child process into lines for the
// log. However much it writes, of one read a few lines are passed on, and the
// others are counted.
//
//   lines.Add(bytes);
//   for (const std::string& line : lines.Take()) log(line);
//
// Ownership: the reader owns it.
// Threads:   one at a time.
// Bounds:    kMostLines lines of at most kMaxTextBytes (poller/printable.h)
//            and "...".
// Ends:      Finish() ends the last line.

#ifndef TROLLEY_ACTORS_CHILD_INTERNAL_ERROR_LINES_H_
#define TROLLEY_ACTORS_CHILD_INTERNAL_ERROR_LINES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace trolley::internal {

class ErrorLines {
 public:
  // Between two calls of Take(). 16: the log writes 10 of one kind at once
  // (LogOptions::lines_at_once).
  static constexpr size_t kMostLines = 16;

  void Add(absl::string_view bytes);
  void Finish() { EndLine(); }

  // The lines that have ended since the last call, printable and cut. Empty
  // ones are left out.
  std::vector<std::string> Take() { return std::exchange(lines_, {}); }
  // How many lines there were since the last call beside those.
  uint64_t TakeLeftOut() { return std::exchange(left_out_, 0); }

 private:
  void EndLine();

  std::string line_;  // the beginning of one that has not ended
  std::vector<std::string> lines_;
  uint64_t left_out_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_CHILD_INTERNAL_ERROR_LINES_H_
