// SPDX-License-Identifier: Apache-2.0
//
// LinkStates: which actors of a loop pass their messages to another process, by
// which link, and which links are down. So a sender on any thread learns at
// once that a message cannot leave.
//
// For each slot there is one ActorId, its link entry:
//
//   the actor in the slot                     its link entry
//   passes messages to another process        its link
//   is a link that is down                    the link itself
//   any other                                 empty, or an id of an earlier
//                                             actor of this slot
//
// Ownership: part of a LoopInbox.
// Threads:   thread-safe.
// Bounds:    8 bytes for each slot, allocated for 1024 slots when one of them
//            gets its first entry.
// Ends:      with the bus's state.

#ifndef TROLLEY_BUS_REGISTRY_LINK_STATES_H_
#define TROLLEY_BUS_REGISTRY_LINK_STATES_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "trolley/bus/actor_id.h"

namespace trolley::internal {

class LinkStates {
 public:
  explicit LinkStates(uint32_t slots)
      : chunks_(std::make_unique<std::atomic<Chunk*>[]>(slots / kChunk + 1)),
        size_(slots / kChunk + 1) {}
  LinkStates(const LinkStates&) = delete;
  LinkStates& operator=(const LinkStates&) = delete;
  ~LinkStates() {
    for (uint32_t i = 0; i < size_; ++i) delete chunks_[i].load();
  }

  void Set(uint32_t slot, ActorId entry) {
    std::atomic<Chunk*>& place = chunks_[slot / kChunk];
    Chunk* chunk = place.load();
    if (chunk == nullptr) {
      if (!entry) return;
      auto made = std::make_unique<Chunk>();
      // Another thread may have made it meanwhile.
      if (place.compare_exchange_strong(chunk, made.get())) {
        chunk = made.release();
      }
    }
    (*chunk)[slot % kChunk] = entry.word();
  }

  // Empty: no entry was set.
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

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_REGISTRY_LINK_STATES_H_
