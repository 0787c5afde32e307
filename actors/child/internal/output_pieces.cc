// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/internal/output_pieces.h"

#include <cstdint>

namespace trolley::internal {

OutputPieces::OutputPieces(const ChildProcessOptions& options) {
  if (options.format == PipeFormat::kLines) {
    decoder_.emplace<wire::LineDecoder>(
        wire::LineDecoderOptions{.max_line_bytes = options.max_piece_bytes,
                                 .read_bytes = options.read_bytes});
  } else {
    decoder_.emplace<wire::DelimitedDecoder>(wire::DelimitedDecoderOptions{
        .max_message_bytes = static_cast<uint32_t>(options.max_piece_bytes),
        .read_bytes = options.read_bytes});
  }
}

absl::Span<char> OutputPieces::PrepareRead() {
  return lines() != nullptr ? lines()->PrepareRead() : frames().PrepareRead();
}

void OutputPieces::Commit(size_t bytes) {
  lines() != nullptr ? lines()->Commit(bytes) : frames().Commit(bytes);
}

absl::StatusOr<std::optional<std::string_view>> OutputPieces::Next() {
  if (lines() == nullptr) return frames().Next();
  const absl::StatusOr<std::optional<wire::Line>> line = lines()->Next();
  if (!line.ok()) return line.status();
  if (!line->has_value()) return std::nullopt;
  return (*line)->text;
}

absl::Status OutputPieces::Finish() {
  if (lines() == nullptr) return frames().AtEnd();
  lines()->Finish();
  return absl::OkStatus();
}

}  // namespace trolley::internal
