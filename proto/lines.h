// SPDX-License-Identifier: Apache-2.0
//
// LineDecoder: cuts a stream of bytes into lines at '\n'. The bytes may arrive
// in any pieces. It is for pipes and does not use links.
//
//   LineDecoder decoder;
//   while (!at_end) {
//     absl::Span<char> room = decoder.PrepareRead();
//     ssize_t n = read(fd, room.data(), room.size());
//     if (n == 0) { decoder.Finish(); at_end = true; }
//     else decoder.Commit(n);
//     for (;;) {
//       absl::StatusOr<std::optional<Line>> line = decoder.Next();
//       if (!line.ok()) continue;  // too long: dropped; or stop here
//       if (!line->has_value()) break;
//       Handle((*line)->text);
//     }
//   }
//
// Ownership: the reader owns it. Line::text is a view into the decoder and
//            valid until the next call of a non-const method.
// Threads:   one at a time.
// Bounds:    holds at most max_line_bytes + read_bytes + 1. A longer line is
//            reported once and dropped while it arrives.
// Ends:      call Finish() at the end of the stream. Then Next() returns the
//            last line even if it has no '\n'.

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

// A number out of its range counts as the nearest one in it.
struct LineDecoderOptions {
  static constexpr size_t kMostLineBytes = size_t{1} << 30;

  // The longest line, in bytes without its '\n', 1 to kMostLineBytes. 64 KiB:
  // longer than a log line should be, and short enough to notice a file that
  // has no lines.
  size_t max_line_bytes = 64 * 1024;

  // The room for one read, in bytes, 1 to kMostReadBytes. 64 KiB is the
  // capacity of a pipe.
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

  // PrepareRead() returns room for the next read; Commit() says how many bytes
  // were read. There is always room after Next() returned nullopt.
  absl::Span<char> PrepareRead() { return buffer_.Prepare(); }
  void Commit(size_t bytes) { buffer_.Commit(bytes); }

  // Use this instead of the two above if the bytes are in memory. Copies as
  // many as there is room for and returns their number. It copies all if there
  // are at most read_bytes and Next() has returned nullopt before.
  size_t Feed(std::string_view bytes) { return buffer_.Append(bytes); }

  // Says that the stream has ended. No bytes may follow.
  void Finish() { finished_ = true; }

  // The next line. nullopt: more bytes are needed, or none are left.
  //
  //   kLineTooLong  a line is longer than max_line_bytes; the text has its
  //                 number. The line is dropped and counted. This error is not
  //                 final: the next call goes on with the line after it.
  //                 (ResourceExhausted)
  absl::StatusOr<std::optional<Line>> Next();

  uint64_t lines_dropped() const { return lines_dropped_; }
  size_t memory_bytes() const { return buffer_.capacity(); }

 private:
  const size_t max_line_bytes_;
  ReadBuffer buffer_;
  size_t searched_ = 0;    // bytes of buffer_.held() that contain no '\n'
  bool dropping_ = false;  // inside a line that was too long
  bool finished_ = false;
  uint64_t number_ = 0;  // the number of the last line that was begun
  uint64_t lines_dropped_ = 0;
};

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_LINES_H_
