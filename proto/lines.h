// SPDX-License-Identifier: Apache-2.0
//
// LineDecoder: cuts a stream of bytes into lines at '\n', whatever the pieces
// they arrive in. For pipes; knows nothing of links.
//
// Ownership: owned by the reader. Line::text is a view into the decoder; it
//            ends with the next call of any non-const method.
// Threads:   one at a time.
// Bounds:    holds at most max_line_bytes + read_bytes + 1. A longer line is
//            reported once and dropped as it arrives; it is never held.
// Ends:      Finish() at the end of the stream; then Next() gives the last line
//            even if no '\n' closed it.

#ifndef TROLLEY_PROTO_LINES_H_
#define TROLLEY_PROTO_LINES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/proto/read_buffer.h"

namespace trolley::wire {

struct LineDecoderOptions {
  // The longest line, in bytes without its '\n'. 64 KiB: longer than any log
  // line, short enough that a file without lines is noticed.
  size_t max_line_bytes = 64 * 1024;

  // Room made for one read, in bytes. 64 KiB is what a pipe holds.
  size_t read_bytes = 64 * 1024;
};

struct Line {
  std::string_view text;   // without '\n'; a '\r' before it is kept
  uint64_t number = 0;     // 1 for the first line of the stream
  bool terminated = true;  // false only for a last line without '\n'
};

class LineDecoder {
 public:
  explicit LineDecoder(const LineDecoderOptions& options = {});

  // As in FrameDecoder: room for the next read, and how much of it was read.
  // There is always room once Next() returned nullopt.
  absl::Span<char> PrepareRead() { return buffer_.Prepare(); }
  void Commit(size_t bytes) { buffer_.Commit(bytes); }

  // Instead of the two above: copies in what there is room for and returns how
  // much. All of it, if at most read_bytes and Next() returned nullopt before.
  size_t Feed(std::string_view bytes) { return buffer_.Append(bytes); }

  // The stream has ended; nothing is fed after this.
  void Finish() { finished_ = true; }

  // The next line; nullopt when more bytes are needed, or none are left.
  // kLineTooLong (ResourceExhausted): a line is longer than max_line_bytes; the
  // text has its number. Not final: the line is dropped and counted, and later
  // calls go on with the line after it. The caller chooses to stop or to go on.
  absl::StatusOr<std::optional<Line>> Next();

  uint64_t lines_dropped() const { return lines_dropped_; }
  size_t memory_bytes() const { return buffer_.capacity(); }

 private:
  const size_t max_line_bytes_;
  ReadBuffer buffer_;
  size_t searched_ = 0;    // bytes of buffer_.held() known to hold no '\n'
  bool dropping_ = false;  // inside a line that was too long
  bool finished_ = false;
  uint64_t number_ = 0;  // of the last line begun
  uint64_t lines_dropped_ = 0;
};

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_LINES_H_
