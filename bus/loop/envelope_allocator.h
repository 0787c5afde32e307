// SPDX-License-Identifier: Apache-2.0
//
// EnvelopeAllocator: allocates the envelopes that a loop sends, and frees those
// that it has handled:
//
//   an envelope of      goes
//   this loop's pool    into the pool
//   the heap            back to the heap
//   another loop        back to that loop: with the next message to it, or in
//                       a batch if there is none
//
// So two loops that send to each other send no empty envelopes back, and a
// message is written to memory that is in the CPU's cache.
//
// Ownership: part of a loop; owns the envelopes of other loops until they go
//            back.
// Threads:   loop thread only.
// Bounds:    kBatch envelopes for each other loop.
// Ends:      ReturnAll() sends all back, before the loop sleeps or ends.

#ifndef TROLLEY_BUS_LOOP_ENVELOPE_ALLOCATOR_H_
#define TROLLEY_BUS_LOOP_ENVELOPE_ALLOCATOR_H_

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "trolley/bus/crossing/bus_state.h"
#include "trolley/bus/message/envelope.h"

namespace trolley::internal {

class EnvelopeAllocator {
 public:
  static constexpr uint32_t kBatch = 64;

  EnvelopeAllocator(BusState& bus, LoopInbox& inbox)
      : bus_(bus),
        pool_(inbox.pool),
        loop_(inbox.index),
        returning_(bus.loops()) {}
  EnvelopeAllocator(const EnvelopeAllocator&) = delete;
  EnvelopeAllocator& operator=(const EnvelopeAllocator&) = delete;
  ~EnvelopeAllocator() {
    assert(std::all_of(
               returning_.begin(), returning_.end(),
               [](const Chain& chain) { return chain.first == nullptr; }) &&
           "envelopes that were not returned");
  }

  // An envelope of at least `bytes` bytes (Envelope::BytesFor()).
  ABSL_ATTRIBUTE_ALWAYS_INLINE Envelope* New(size_t bytes,
                                             const Envelope::Head& head) {
    const uint32_t to = head.target.loop();
    if (to != loop_) {
      const uint32_t size = EnvelopePool::ClassOf(bytes);
      Chain& chain = returning_[to];
      if (chain.first != nullptr && chain.first->size_class() == size) {
        Envelope* memory = std::exchange(chain.first, chain.first->next);
        --chain.count;
        return new (memory) Envelope(Envelope::Home(to, size), head);
      }
    }
    return pool_.Get(bytes, head);
  }

  // Frees an envelope whose payload is destroyed.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Free(Envelope* envelope) {
    if (envelope->owner_loop() == loop_) [[likely]] {
      pool_.PutOwn(envelope);
    } else {
      SendHome(envelope);
    }
  }

  // The flags of an envelope from this loop's pool that carries a Tell to this
  // loop, with a credit and without a context. Most messages have these, and
  // are handled with the fewest steps.
  uint64_t own_loop_tell(uint32_t size_class) const {
    return own_loop_tell_ | Envelope::Home(0, size_class);
  }
  // The size class of an envelope with such flags. For other flags it is more
  // than kMaxSizeClass: one xor tests all of them.
  uint64_t OwnLoopTellClass(const Envelope* envelope) const {
    return own_loop_tell_ ^ envelope->flags;
  }

  void ReturnAll() {
    for (uint32_t home = 0; home < returning_.size(); ++home) {
      if (returning_[home].first != nullptr) Return(home);
    }
  }

 private:
  struct Chain {
    Envelope* first = nullptr;
    Envelope* last = nullptr;
    uint32_t count = 0;
  };

  void SendHome(Envelope* envelope) {
    const uint32_t home = envelope->owner_loop();
    if (home == Envelope::kNoLoop) return EnvelopePool::PutToHeap(envelope);
    if (envelope->has(Envelope::kHasContext)) envelope->context = nullptr;
    Chain& chain = returning_[home];
    if (chain.first == nullptr) chain.last = envelope;
    envelope->next = chain.first;
    chain.first = envelope;
    if (++chain.count >= kBatch) Return(home);
  }

  void Return(uint32_t home) {
    const Chain chain = std::exchange(returning_[home], Chain{});
    bus_.inbox(home).pool.returned().Push(chain.first, chain.last);
  }

  BusState& bus_;
  EnvelopePool& pool_;
  const uint32_t loop_;
  const uint64_t own_loop_tell_ =
      Envelope::Home(loop_, 0) | Envelope::kDataLane | Envelope::kHoldsCredit;
  std::vector<Chain> returning_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_ENVELOPE_ALLOCATOR_H_
