// SPDX-License-Identifier: Apache-2.0
//
// FrameOutbox: frames on their way to the kernel. Short ones are gathered in
// strings of their own, so that one call takes many; a long payload is kept as
// it came, without a copy.
//
// Ownership: part of a connection; owns the bytes until the kernel has them.
// Threads:   loop thread only.
// Bounds:    the caller's: unwritten() and messages() say how much there is.
// Ends:      with its connection; what is left is lost, and the caller counts
//            it.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_FRAME_OUTBOX_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_FRAME_OUTBOX_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/types/span.h"

namespace trolley::internal {

class FrameOutbox {
 public:
  // A payload of so many bytes, or more, is kept as it came. 8 KiB: below it a
  // copy costs less than a buffer of its own, to the kernel, too.
  static constexpr size_t kLongPayload = 8 << 10;

  FrameOutbox() : chunks_(1) {}

  // The caller appends the bytes of the next frame here.
  std::string& tail() { return chunks_.back(); }

  // Ends a frame: the bytes that were appended since the last one, and then
  // `payload`. `sequence`: the number of a DATA frame; other frames: 0.
  // `message`: messages() counts it.
  void Close(uint64_t sequence, bool message);
  void Close(uint64_t sequence, bool message, std::string payload);

  size_t unwritten() const {
    return before_tail_ + chunks_.back().size() - offset_;
  }
  bool has_frames() const { return !frames_.empty(); }
  size_t messages() const { return messages_; }

  // Fills `parts` with the first unwritten bytes, at most `most`. Returns the
  // number of parts.
  int Gather(size_t most, absl::Span<iovec> parts);

  // Removes `bytes` that the kernel has taken. Returns the frames and messages
  // that ended in them.
  struct Taken {
    uint64_t frames = 0;  // whole
    uint64_t messages = 0;
    uint64_t last_sequence = 0;  // 0: no DATA frame was among them
  };
  Taken Take(size_t bytes);

 private:
  // Strings that gather are no longer than this and a frame.
  static constexpr size_t kChunkBytes = 64 << 10;

  struct Frame {
    uint64_t end = 0;  // counted from the first byte ever appended
    uint64_t sequence = 0;
    bool message = false;
  };

  void StartChunk();

  std::deque<std::string> chunks_;  // the last one gathers; never empty
  size_t before_tail_ = 0;          // bytes in all but the last
  size_t offset_ = 0;               // of the first one that are taken
  uint64_t taken_ = 0;              // ever
  std::deque<Frame> frames_;
  size_t messages_ = 0;
  std::string spare_;  // a chunk that is empty again
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_FRAME_OUTBOX_H_
