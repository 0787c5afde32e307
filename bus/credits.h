// SPDX-License-Identifier: Apache-2.0
//
// Credits: the free places of a mailbox, kept where every sender can take some.
// A place is taken before a message is sent and given back when it has been
// handled, so the bound is exact and a refusal is known at once. A loop leases
// places in batches and pays no atomic per message.
//
// Invariant: free here + leased by loops + held by queued messages = capacity.
//
// The word also holds the generation of the actor it speaks for, so that
// "gone" and "full" are told apart by the same operation that takes the place.
//
// Ownership: part of a cell; outlives the actor.
// Threads:   thread-safe, but for Open and Close: the actor's loop, or whoever
//            is spawning it.

#ifndef TROLLEY_BUS_CREDITS_H_
#define TROLLEY_BUS_CREDITS_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace trolley {

class Credits {
 public:
  struct Lease {
    bool gone = false;    // not this generation
    uint32_t places = 0;  // how many were taken
  };

  // Starts a generation with `places` free places.
  // Memory ordering: visible to whoever learns the actor's id afterwards.
  void Open(uint32_t generation, uint32_t places) {
    word_.store(Pack(generation, places), std::memory_order_release);
  }

  // Ends the generation: later leases and returns of it do nothing.
  void Close(uint32_t next_generation) { Open(next_generation, 0); }

  // Takes one place.
  Lease TakeOne(uint32_t generation) { return Take(generation, 1); }

  // Takes a sender's share: an eighth of what is free, at least one place and
  // at most `most`. What is scarce is so divided finely.
  Lease TakeShare(uint32_t generation, uint32_t most) {
    return Take(generation, most);
  }

  // Takes every place that is free; 0 also if it is not this generation.
  uint32_t TakeAll(uint32_t generation) {
    uint64_t word = word_.load(std::memory_order_relaxed);
    while (Generation(word) == generation && Places(word) > 0) {
      if (word_.compare_exchange_weak(word, Pack(generation, 0),
                                      std::memory_order_relaxed)) {
        return Places(word);
      }
    }
    return 0;
  }

  void Return(uint32_t generation, uint32_t places) {
    uint64_t word = word_.load(std::memory_order_relaxed);
    while (Generation(word) == generation &&
           !word_.compare_exchange_weak(word, word + places,
                                        std::memory_order_relaxed)) {
    }
  }

  uint32_t generation() const {
    return Generation(word_.load(std::memory_order_acquire));
  }
  uint32_t places() const {
    return Places(word_.load(std::memory_order_relaxed));
  }

 private:
  Lease Take(uint32_t generation, uint32_t most) {
    uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      if (Generation(word) != generation) return {.gone = true};
      const uint32_t share = std::clamp<uint32_t>(Places(word) / 8, 1, most);
      const uint32_t taken = std::min(Places(word), share);
      if (taken == 0) return {};
      if (word_.compare_exchange_weak(word, word - taken,
                                      std::memory_order_relaxed)) {
        return {.places = taken};
      }
    }
  }

  static constexpr uint64_t Pack(uint32_t generation, uint32_t places) {
    return (uint64_t{generation} << 32) | places;
  }
  static constexpr uint32_t Generation(uint64_t word) { return word >> 32; }
  static constexpr uint32_t Places(uint64_t word) { return word; }

  std::atomic<uint64_t> word_{0};
};

}  // namespace trolley

#endif  // TROLLEY_BUS_CREDITS_H_
