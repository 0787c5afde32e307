// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/piece_decoder.h"

namespace trolley::wire {

absl::Span<char> PieceDecoder::PrepareRead() {
  return lines() != nullptr ? lines()->PrepareRead() : frames().PrepareRead();
}

void PieceDecoder::Commit(size_t bytes) {
  lines() != nullptr ? lines()->Commit(bytes) : frames().Commit(bytes);
}

absl::StatusOr<std::optional<std::string_view>> PieceDecoder::Next() {
  if (lines() == nullptr) return frames().Next();
  const absl::StatusOr<std::optional<Line>> line = lines()->Next();
  if (!line.ok()) return line.status();
  if (!line->has_value()) return std::nullopt;
  return (*line)->text;
}

absl::Status PieceDecoder::Finish() {
  if (lines() == nullptr) return frames().AtEnd();
  lines()->Finish();
  return absl::OkStatus();
}

}  // namespace trolley::wire
