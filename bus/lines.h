// SPDX-License-Identifier: Apache-2.0
//
// Lines: the actors of a loop whose messages leave the process, each with the
// link that they leave by; and the links that take none now. So a sender on any
// thread knows at once that a message would go nowhere.
//
// A line is an ActorId in the slot of an actor's cell. That of an actor whose
// messages leave is its link; that of a link which takes none is the link
// itself. A line of an earlier actor of the slot names none of these.
//
// Ownership: part of a loop's port.
// Threads:   thread-safe.
// Bounds:    8 bytes for a slot, made for 1024 slots when one of them gets its
//            first line.
// Ends:      with the bus's state.

#ifndef TROLLEY_BUS_LINES_H_
#define TROLLEY_BUS_LINES_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "trolley/bus/actor_id.h"

namespace trolley {

class Lines {
 public:
  explicit Lines(uint32_t slots)
      : chunks_(std::make_unique<std::atomic<Chunk*>[]>(slots / kChunk + 1)),
        size_(slots / kChunk + 1) {}
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() {
    for (uint32_t i = 0; i < size_; ++i) delete chunks_[i].load();
  }

  void Set(uint32_t slot, ActorId line) {
    std::atomic<Chunk*>& place = chunks_[slot / kChunk];
    Chunk* chunk = place.load();
    if (chunk == nullptr) {
      if (!line) return;
      auto made = std::make_unique<Chunk>();
      // Another thread may have made it meanwhile.
      if (place.compare_exchange_strong(chunk, made.get())) {
        chunk = made.release();
      }
    }
    (*chunk)[slot % kChunk] = line.word();
  }

  // Nobody, if none was set.
  ActorId Get(uint32_t slot) const {
    const Chunk* chunk = chunks_[slot / kChunk].load();
    return chunk != nullptr ? ActorId::FromWord((*chunk)[slot % kChunk])
                            : ActorId();
  }

 private:
  static constexpr uint32_t kChunk = 1024;
  using Chunk = std::array<std::atomic<uint64_t>, kChunk>;

  const std::unique_ptr<std::atomic<Chunk*>[]> chunks_;
  const uint32_t size_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LINES_H_
