// SPDX-License-Identifier: Apache-2.0
//
// ReadBuffer: the bytes a decoder was given and has not used yet. Shared by the
// decoders of this folder; users read into it through them.
//
// Ownership: owns its memory; spans and views into it end with the next call of
//            Prepare() or Append().
// Threads:   one at a time (it belongs to one decoder).
// Bounds:    holds at most `limit` bytes. Memory follows what has arrived: at
//            most twice (most bytes ever held + `chunk`), never above `limit`.
//            Nothing is allocated before the first Prepare().

#ifndef TROLLEY_PROTO_READ_BUFFER_H_
#define TROLLEY_PROTO_READ_BUFFER_H_

#include <cstddef>
#include <memory>
#include <string_view>

#include "absl/types/span.h"

namespace trolley::wire {

class ReadBuffer {
 public:
  // `chunk` (bytes, >= 1): the room each Prepare() makes for one read.
  ReadBuffer(size_t limit, size_t chunk) : limit_(limit), chunk_(chunk) {}

  // Room for the next read: `chunk` bytes or more, less where `limit` cuts it;
  // empty when `limit` bytes are held.
  absl::Span<char> Prepare();

  // The first `bytes` of what Prepare() gave have been filled.
  void Commit(size_t bytes);

  // Copies in as much of `bytes` as `limit` allows; returns how much.
  size_t Append(std::string_view bytes);

  std::string_view held() const {
    return std::string_view(memory_.get() + begin_, end_ - begin_);
  }

  // Drops the first `bytes` of held(); what is left does not move.
  void Consume(size_t bytes);

  // Bytes of memory owned.
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
