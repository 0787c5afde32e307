// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/read_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/types/span.h"

namespace trolley::wire {

absl::Span<char> ReadBuffer::Prepare() {
  if (begin_ == end_) begin_ = end_ = 0;
  const size_t held_bytes = end_ - begin_;
  const size_t wanted = std::min(chunk_, limit_ - held_bytes);
  if (capacity_ - end_ < wanted) {
    if (held_bytes + wanted <= capacity_) {
      std::memmove(memory_.get(), memory_.get() + begin_, held_bytes);
    } else {
      // The size doubles, so the number of copied bytes is linear in the bytes
      // received. It depends only on these, not on a length in a header.
      const size_t grown =
          std::min(limit_, std::max(2 * capacity_, held_bytes + wanted));
      auto memory = std::make_unique_for_overwrite<char[]>(grown);
      if (held_bytes > 0) {
        std::memcpy(memory.get(), memory_.get() + begin_, held_bytes);
      }
      memory_ = std::move(memory);
      capacity_ = grown;
    }
    begin_ = 0;
    end_ = held_bytes;
  }
  return absl::MakeSpan(memory_.get() + end_, capacity_ - end_);
}

void ReadBuffer::Commit(size_t bytes) {
  assert(bytes <= capacity_ - end_);
  end_ += bytes;
}

size_t ReadBuffer::Append(std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size()) {
    const absl::Span<char> room = Prepare();
    if (room.empty()) break;
    const size_t part = std::min(room.size(), bytes.size() - taken);
    std::memcpy(room.data(), bytes.data() + taken, part);
    Commit(part);
    taken += part;
  }
  return taken;
}

void ReadBuffer::Consume(size_t bytes) {
  assert(bytes <= end_ - begin_);
  begin_ += bytes;
}

}  // namespace trolley::wire
