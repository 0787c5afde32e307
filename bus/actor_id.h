// SPDX-License-Identifier: Apache-2.0
//
// ActorId: which actor of a bus, in one word. The slot says where it lives, the
// loop says on which thread, the generation tells it from every earlier actor
// of that slot, so an id kept for too long names nobody rather than a stranger.
//
// A value type: any thread. Bounds: 256 loops, 2^24 slots a loop; a slot whose
// generation would wrap is retired.

#ifndef TROLLEY_BUS_ACTOR_ID_H_
#define TROLLEY_BUS_ACTOR_ID_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "trolley/poller/cxx20.h"

namespace trolley {

class ActorId {
 public:
  static constexpr uint32_t kMaxLoops = 256;
  static constexpr uint32_t kMaxSlots = 1u << 24;

  // Names nobody.
  constexpr ActorId() = default;
  constexpr ActorId(uint32_t loop, uint32_t slot, uint32_t generation)
      : word_((uint64_t{generation} << 32) | (uint64_t{loop} << 24) | slot) {}

  constexpr uint32_t slot() const { return word_ & (kMaxSlots - 1); }
  constexpr uint32_t loop() const { return (word_ >> 24) & (kMaxLoops - 1); }
  constexpr uint32_t generation() const { return word_ >> 32; }
  constexpr uint64_t word() const { return word_; }
  static constexpr ActorId FromWord(uint64_t word) {
    ActorId id;
    id.word_ = word;
    return id;
  }

  // Generations start at 1, so only the default id is false.
  constexpr explicit operator bool() const { return word_ != 0; }

  // "#loop.slot.generation", what an actor without a name is called.
  std::string ToString() const {
    return absl::StrCat("#", loop(), ".", slot(), ".", generation());
  }

  friend constexpr bool operator==(ActorId, ActorId) = default;
  template <typename H>
  friend H AbslHashValue(H h, ActorId id) {
    return H::combine(std::move(h), id.word_);
  }

 private:
  uint64_t word_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_ACTOR_ID_H_
