// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/frame_outbox.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace trolley::internal {

void FrameOutbox::StartChunk() {
  before_tail_ += chunks_.back().size();
  chunks_.push_back(std::exchange(spare_, std::string()));
}

void FrameOutbox::Close(uint64_t sequence, bool message) {
  frames_.push_back(
      {.end = taken_ + unwritten(), .sequence = sequence, .message = message});
  messages_ += message;
  if (tail().size() >= kChunkBytes) StartChunk();
}

void FrameOutbox::Close(uint64_t sequence, bool message, std::string payload) {
  if (payload.size() < kLongPayload) {
    tail().append(payload);
  } else {
    before_tail_ += chunks_.back().size();
    chunks_.push_back(std::move(payload));
    StartChunk();
  }
  Close(sequence, message);
}

int FrameOutbox::Gather(size_t most, absl::Span<iovec> parts) {
  size_t count = 0;
  size_t offset = offset_;
  for (std::string& chunk : chunks_) {
    if (most == 0 || count == parts.size()) break;
    const size_t bytes = std::min(chunk.size() - offset, most);
    if (bytes > 0) {
      parts[count++] = {.iov_base = chunk.data() + offset, .iov_len = bytes};
    }
    most -= bytes;
    offset = 0;
  }
  return static_cast<int>(count);
}

FrameOutbox::Taken FrameOutbox::Take(size_t bytes) {
  assert(bytes <= unwritten());
  taken_ += bytes;
  offset_ += bytes;
  while (chunks_.size() > 1 && offset_ >= chunks_.front().size()) {
    std::string& first = chunks_.front();
    offset_ -= first.size();
    before_tail_ -= first.size();
    // One of those that gather is kept for its memory.
    if (first.capacity() <= 2 * kChunkBytes &&
        first.capacity() > spare_.capacity()) {
      first.clear();
      spare_ = std::move(first);
    }
    chunks_.pop_front();
  }
  if (chunks_.size() == 1 && offset_ == tail().size()) {
    tail().clear();
    offset_ = 0;
  }
  Taken taken;
  // mutant: P15_AMessageIsWrittenWithItsFirstByte
  while (!frames_.empty() && frames_.front().end <= taken_) {
    const Frame& frame = frames_.front();
    ++taken.frames;
    taken.messages += frame.message;
    if (frame.sequence != 0) taken.last_sequence = frame.sequence;
    frames_.pop_front();
  }
  assert(taken.messages <= messages_);
  messages_ -= taken.messages;
  return taken;
}

}  // namespace trolley::internal
