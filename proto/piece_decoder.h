// SPDX-License-Identifier: Apache-2.0
//
// PieceDecoder: a LineDecoder or a DelimitedDecoder, for a reader that learns
// at run time which of the two formats a pipe has.
//
//   PieceDecoder pieces = PieceDecoder::Lines(4096, 64 << 10);
//   n = read(fd, pieces.PrepareRead());
//   pieces.Commit(n);   // or, at the end, pieces.Finish()
//   auto piece = pieces.Next();
//
// Ownership: the reader owns it. A piece is a view into it and valid until the
//            next call.
// Threads:   one at a time.
// Bounds:    those of the decoder.
// Ends:      the first error is final.

#ifndef TROLLEY_PROTO_PIECE_DECODER_H_
#define TROLLEY_PROTO_PIECE_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/proto/delimited.h"
#include "trolley/proto/lines.h"

namespace trolley::wire {

class PieceDecoder {
 public:
  // The limits of both decoders: `most` bytes for a piece, `read` for one read.
  static PieceDecoder Lines(size_t most, size_t read) {
    return PieceDecoder(
        std::in_place_type<LineDecoder>,
        LineDecoderOptions{.max_line_bytes = most, .read_bytes = read});
  }
  static PieceDecoder Delimited(size_t most, size_t read) {
    return PieceDecoder(std::in_place_type<DelimitedDecoder>,
                        DelimitedDecoderOptions{
                            .max_message_bytes = static_cast<uint32_t>(most),
                            .read_bytes = read});
  }
  PieceDecoder(const PieceDecoder&) = delete;
  PieceDecoder& operator=(const PieceDecoder&) = delete;

  absl::Span<char> PrepareRead();
  void Commit(size_t bytes);
  // The next piece, a line without its '\n' or a frame without its length;
  // nullopt: more bytes are needed.
  //   ResourceExhausted   longer than the limit of the decoder
  //   InvalidArgument     a bad length
  absl::StatusOr<std::optional<std::string_view>> Next();
  // There are no more bytes; a last line without its end is still to come.
  // DataLoss: they end within a frame.
  absl::Status Finish();

 private:
  template <typename Decoder, typename Options>
  PieceDecoder(std::in_place_type_t<Decoder> which, const Options& options)
      : decoder_(which, options) {}
  LineDecoder* lines() { return std::get_if<LineDecoder>(&decoder_); }
  DelimitedDecoder& frames() { return std::get<DelimitedDecoder>(decoder_); }

  std::variant<LineDecoder, DelimitedDecoder> decoder_;
};

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_PIECE_DECODER_H_
