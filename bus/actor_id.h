// SPDX-License-Identifier: Apache-2.0
//
// ActorId: names one actor of a bus, in one word of 64 bits:
//
//   loop         8 bits   the loop, and so the thread, that the actor lives on
//   slot        24 bits   the index of the actor's cell on that loop
//   generation  32 bits   how many actors have lived in that slot
//
//   std::cerr << ref.address().id().ToString();  // "#0.17.2"
//
// A slot is used again when its actor has ended. The new actor has another
// generation, so an old id never means the new actor.
//
// A value; any thread.
// Bounds: 256 loops, 2^24 slots a loop. A slot whose generation would start
//         again at 0 is not used any more.

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

  // Names no actor.
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

  // False for the default id only: generations start at 1.
  constexpr explicit operator bool() const { return word_ != 0; }

  // "#loop.slot.generation": what tools call an actor without a name.
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
