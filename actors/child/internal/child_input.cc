// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/internal/child_input.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "trolley/proto/delimited.h"

namespace trolley::internal {
namespace {

// Any piece that has room is shorter (ChildProcessOptions::kMostWaitingBytes).
constexpr uint32_t kMostPieceBytes = uint32_t{1} << 31;

}  // namespace

size_t ChildInput::BytesOf(absl::string_view piece) const {
  size_t bytes = piece.size() + 1;
  if (format_ == PipeFormat::kDelimited) {
    for (size_t left = piece.size() >> 7; left > 0; left >>= 7) ++bytes;
  }
  return bytes;
}

void ChildInput::Append(absl::string_view piece) {
  const bool last_is_lent = front_is_lent_ && chunks_.size() == 1;
  if (chunks_.empty() || last_is_lent || chunks_.back().size() >= kChunkBytes) {
    chunks_.emplace_back();
  }
  std::string& chunk = chunks_.back();
  const size_t before = chunk.size();
  if (format_ == PipeFormat::kDelimited) {
    wire::AppendDelimited({piece.data(), piece.size()}, &chunk, kMostPieceBytes)
        .IgnoreError();
  } else {
    absl::StrAppend(&chunk, piece, "\n");
  }
  waiting_ += chunk.size() - before;
  changed_.Notify();
}

Delivery ChildInput::Add(absl::string_view piece) {
  if (closed_) return Delivery::kGone;
  // mutant: P6_TheInputOfAChildProcessHasNoBound
  if (!line_.idle() || !HasRoom(BytesOf(piece))) return Delivery::kFull;
  Append(piece);
  return Delivery::kAccepted;
}

Task<absl::Status> ChildInput::AddWhenRoom(std::string piece) {
  const size_t bytes = BytesOf(piece);
  if (bytes > most_bytes_) {
    co_return absl::InvalidArgumentError(absl::StrCat(
        "a piece of ", bytes,
        " bytes; ChildProcessOptions::max_waiting_bytes is ", most_bytes_));
  }
  const AsyncMutex::Lock turn = co_await line_.Acquire();
  while (!closed_ && !HasRoom(bytes)) co_await room_.Wait();
  if (closed_) {
    co_return absl::NotFoundError(
        "the child process reads no more: it has ended, or its input has");
  }
  Append(piece);
  co_return absl::OkStatus();
}

void ChildInput::Close() {
  closed_ = true;
  changed_.Notify();
  room_.Notify();
}

void ChildInput::PopFront() {
  waiting_ -= chunks_.front().size();
  chunks_.pop_front();
  front_is_lent_ = false;
  room_.Notify();
}

void ChildInput::Break() {
  chunks_.clear();
  front_is_lent_ = false;
  waiting_ = 0;
  Close();
}

}  // namespace trolley::internal
