// SPDX-License-Identifier: Apache-2.0
//
// OutputPieces: cuts the standard output of a child process into lines or into
// frames that have their length in front.
//
//   OutputPieces pieces(options);
//   n = read(fd, pieces.PrepareRead());
//   pieces.Commit(n);   // or, at the end, pieces.Finish()
//   auto piece = pieces.Next();
//
// Ownership: the reader owns it. A piece is a view into it and valid until the
//            next call.
// Threads:   one at a time.
// Bounds:    max_piece_bytes + read_bytes and 5 bytes. Memory grows with the
//            bytes that have come, not with a length that was announced.
// Ends:      the first error is final.

#ifndef TROLLEY_ACTORS_CHILD_INTERNAL_OUTPUT_PIECES_H_
#define TROLLEY_ACTORS_CHILD_INTERNAL_OUTPUT_PIECES_H_

#include <optional>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/actors/child/child_process_options.h"
#include "trolley/proto/delimited.h"
#include "trolley/proto/lines.h"

namespace trolley::internal {

class OutputPieces {
 public:
  explicit OutputPieces(const ChildProcessOptions& options);

  absl::Span<char> PrepareRead();
  void Commit(size_t bytes);
  // The next piece; nullopt: more bytes are needed.
  //   ResourceExhausted   longer than max_piece_bytes
  //   InvalidArgument     a bad length
  absl::StatusOr<std::optional<std::string_view>> Next();
  // There are no more bytes; a last line without its end is still to come.
  // DataLoss: they end within a frame.
  absl::Status Finish();

 private:
  wire::LineDecoder* lines() {
    return std::get_if<wire::LineDecoder>(&decoder_);
  }
  wire::DelimitedDecoder& frames() {
    return std::get<wire::DelimitedDecoder>(decoder_);
  }

  std::variant<std::monostate, wire::LineDecoder, wire::DelimitedDecoder>
      decoder_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_CHILD_INTERNAL_OUTPUT_PIECES_H_
