// SPDX-License-Identifier: Apache-2.0
//
// Envelopes: where a loop gets its envelopes and where they go when their
// payload is gone: its own to its pool, those of the heap back to it, those of
// other loops home, with a message if there is one for that loop and else in
// batches. So messages that go both ways send no envelope back empty, and a
// reply is written to lines that are in the cache already.
//
// Ownership: part of a loop; owns the envelopes that are on their way home.
// Threads:   loop thread only.
// Bounds:    kBatch envelopes for each other loop.
// Ends:      they are all home before the loop sleeps or ends.

#ifndef TROLLEY_BUS_ENVELOPES_H_
#define TROLLEY_BUS_ENVELOPES_H_

#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "trolley/bus/bus_state.h"
#include "trolley/bus/envelope.h"

namespace trolley {

class Envelopes {
 public:
  static constexpr uint32_t kBatch = 64;

  Envelopes(BusState& bus, LoopPort& port)
      : bus_(bus),
        pool_(port.pool),
        loop_(port.index),
        homeward_(bus.loops()) {}

  // With room for `bytes`, as Envelope::BytesFor() says.
  ABSL_ATTRIBUTE_ALWAYS_INLINE Envelope* New(size_t bytes,
                                             const Envelope::Head& head) {
    const uint32_t to = head.target.loop();
    if (to != loop_) {
      const uint32_t size = EnvelopePool::ClassOf(bytes);
      Chain& chain = homeward_[to];
      if (chain.first != nullptr && chain.first->size_class() == size) {
        Envelope* memory = std::exchange(chain.first, chain.first->next);
        --chain.count;
        return new (memory) Envelope(Envelope::Home(to, size), head);
      }
    }
    return pool_.Get(bytes, head);
  }

  // The payload is gone.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Free(Envelope* envelope) {
    if (envelope->origin() == loop_) [[likely]] {
      pool_.PutOwn(envelope);
    } else {
      SendHome(envelope);
    }
  }

  // The marks of a message of this loop to itself, with its place, in an
  // envelope of the loop's pool, and without context.
  uint64_t own_tell(uint32_t size_class) const {
    return own_tell_ | Envelope::Home(0, size_class);
  }
  // The size class of one with such marks, which leaves no more to do than to
  // give back its place and itself; of another, more than kMaxSizeClass.
  uint64_t OwnTellClass(const Envelope* envelope) const {
    return own_tell_ ^ envelope->marks;
  }

  void ReturnAll() {
    for (uint32_t home = 0; home < homeward_.size(); ++home) {
      if (homeward_[home].first != nullptr) Return(home);
    }
  }

 private:
  struct Chain {
    Envelope* first = nullptr;
    Envelope* last = nullptr;
    uint32_t count = 0;
  };

  void SendHome(Envelope* envelope) {
    const uint32_t home = envelope->origin();
    if (home == Envelope::kNoLoop) return EnvelopePool::PutToHeap(envelope);
    if (envelope->has(Envelope::kHasContext)) envelope->context = nullptr;
    Chain& chain = homeward_[home];
    if (chain.first == nullptr) chain.last = envelope;
    envelope->next = chain.first;
    chain.first = envelope;
    if (++chain.count >= kBatch) Return(home);
  }

  void Return(uint32_t home) {
    const Chain chain = std::exchange(homeward_[home], Chain{});
    bus_.port(home).pool.returned().Push(chain.first, chain.last);
  }

  BusState& bus_;
  EnvelopePool& pool_;
  const uint32_t loop_;
  const uint64_t own_tell_ =
      Envelope::Home(loop_, 0) | Envelope::kDataLane | Envelope::kHoldsCredit;
  std::vector<Chain> homeward_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_ENVELOPES_H_
