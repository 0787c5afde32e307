// SPDX-License-Identifier: Apache-2.0
//
// ReadBuffer: the bytes that a decoder has received and not used yet. All
// decoders of this folder use it.
//
// Ownership: owns its memory. Spans and views into it are valid until the next
//            call of Prepare() or Append().
// Threads:   one at a time; it belongs to one decoder.
// Bounds:    holds at most `limit` bytes. Memory grows with the bytes that have
//            arrived: at most twice (the most bytes ever held + `chunk`), and
//            never more than `limit`. Nothing is allocated before the first
//            Prepare().

#ifndef TROLLEY_PROTO_READ_BUFFER_H_
#define TROLLEY_PROTO_READ_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>

#include "absl/types/span.h"

namespace trolley::wire {

// The most room for one read, in bytes. 64 MiB: far above the largest buffer of
// a pipe or a socket, and small enough to add to any limit.
inline constexpr size_t kMostReadBytes = size_t{64} << 20;

// The nearest number from 1 to kMostReadBytes: what the option `read_bytes` of
// a decoder means.
constexpr size_t ReadBytesOf(size_t read_bytes) {
  return std::clamp<size_t>(read_bytes, 1, kMostReadBytes);
}

class ReadBuffer {
 public:
  // `chunk` is the room that each Prepare() makes for one read, in bytes; >= 1.
  ReadBuffer(size_t limit, size_t chunk) : limit_(limit), chunk_(chunk) {}

  // Returns room for the next read: `chunk` bytes or more, but not more than
  // `limit` allows. Empty if `limit` bytes are held.
  absl::Span<char> Prepare();

  // Says that the first `bytes` of that room were filled.
  void Commit(size_t bytes);

  // Copies as many of `bytes` as `limit` allows. Returns their number.
  size_t Append(std::string_view bytes);

  std::string_view held() const {
    return std::string_view(memory_.get() + begin_, end_ - begin_);
  }

  // Drops the first `bytes` of held(). The others do not move in memory.
  void Consume(size_t bytes);

  // The size of its memory, in bytes.
  size_t capacity() const { return capacity_; }

 private:
  const size_t limit_;
  const size_t chunk_;
  std::unique_ptr<char[]> memory_;
  size_t capacity_ = 0;
  size_t begin_ = 0;  // held() is [begin_, end_) of memory_
  size_t end_ = 0;
};

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_READ_BUFFER_H_
