// SPDX-License-Identifier: Apache-2.0
//
// EnvelopePool: a loop's recycled envelopes, in power-of-two size classes from
// one cache line up. In the steady state a send allocates nothing: an envelope
// that crossed to another loop comes back in a chain (ReturnStack) and is used
// again by the loop that made it.
//
// Ownership: one per loop, kept alive by the bus until no envelope is out.
// Threads:   loop thread only, but for ReturnStack::Push and the two static
//            heap functions, which plain threads use.
// Bounds:    keeps the most memory it ever needed at once; that is bounded by
//            the mailboxes and pending asks.
// Ends:      slabs are freed with the pool.

#ifndef TROLLEY_BUS_ENVELOPE_POOL_H_
#define TROLLEY_BUS_ENVELOPE_POOL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "trolley/bus/envelope.h"

namespace trolley {

// Where other threads leave the envelopes of a pool. Any number of pushers, one
// taker that always takes everything, so nodes cannot be confused (no ABA).
class ReturnStack {
 public:
  // Thread-safe. The chain first -> ... -> last is linked through `next`.
  void Push(Envelope* first, Envelope* last) {
    last->next = head_.load(std::memory_order_relaxed);
    while (!head_.compare_exchange_weak(last->next, first,
                                        std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
  }

  // The owner. Memory ordering: what a pusher did with an envelope happens
  // before its next use.
  Envelope* TakeAll() {
    if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    return head_.exchange(nullptr, std::memory_order_acquire);
  }

 private:
  std::atomic<Envelope*> head_{nullptr};
};

class EnvelopePool {
 public:
  // Envelopes of this pool say `origin` = `loop`, the loop's index.
  explicit EnvelopePool(uint8_t loop) : loop_(loop) {}
  EnvelopePool(const EnvelopePool&) = delete;
  EnvelopePool& operator=(const EnvelopePool&) = delete;

  // Which of the power-of-two classes `bytes` fit; kClasses: none, the heap's.
  static uint32_t ClassOf(size_t bytes) {
    if (bytes > kLargestBytes) return kClasses;
    const size_t lines = (bytes + kSmallestBytes - 1) / kSmallestBytes;
    return lines <= 1 ? 0 : 64 - __builtin_clzll(lines - 1);
  }

  // An envelope with room for `bytes`, as Envelope::BytesFor() says. Larger
  // than the largest class (1 KiB), it comes from the heap.
  Envelope* Get(size_t bytes, const Envelope::Head& head = {}) {
    const uint32_t size_class = ClassOf(bytes);
    if (size_class == kClasses) return GetFromHeap(bytes, head);
    if (free_[size_class].head == nullptr) [[unlikely]] {
      Refill(size_class);
    }
    return new (TakeReady(free_[size_class].head, size_class))
        Envelope(Envelope::Home(loop_, size_class), head);
  }

  // One of this class that is at hand, yet to be taken; null if none is.
  Envelope* Ready(uint32_t size_class) const {
    return size_class < kClasses ? free_[size_class].head : nullptr;
  }
  // Takes what Ready() has returned.
  void* TakeReady(Envelope* ready, uint32_t size_class) {
    free_[size_class].head = ready->next;
    return ready;
  }

  // Takes back an envelope of this pool, or of the heap, whose payload is gone.
  void Put(Envelope* envelope) {
    if (envelope->origin() == Envelope::kNoLoop) return PutToHeap(envelope);
    PutOwn(envelope);
  }
  // The same for one that is known not to be of the heap.
  void PutOwn(Envelope* envelope) {
    if (envelope->has(Envelope::kHasContext)) [[unlikely]] {
      envelope->context = nullptr;
    }
    PutOwnBare(envelope, envelope->size_class());
  }
  // The same for one of that class that has no context.
  void PutOwnBare(Envelope* envelope, uint64_t size_class) {
    FreeList& list = free_[size_class];
    envelope->next = list.head;
    list.head = envelope;
  }

  // Thread-safe: for senders that are not loops. `origin` is kNoLoop.
  static Envelope* GetFromHeap(size_t bytes, const Envelope::Head& head = {});
  static void PutToHeap(Envelope* envelope);

  ReturnStack& returned() { return returned_; }

 private:
  static constexpr uint32_t kClasses = 5;
  static constexpr size_t kSmallestBytes = 64;
  static constexpr size_t kLargestBytes = kSmallestBytes << (kClasses - 1);
  static constexpr size_t kSlabBytes = size_t{64} << 10;

  struct FreeList {
    Envelope* head = nullptr;
  };

  // Takes what came back, else carves a new slab.
  void Refill(uint32_t size_class);

  const uint8_t loop_;
  std::array<FreeList, kClasses> free_;
  struct SlabDeleter {
    void operator()(std::byte* slab) const;
  };
  std::vector<std::unique_ptr<std::byte[], SlabDeleter>> slabs_;
  alignas(64) ReturnStack returned_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_ENVELOPE_POOL_H_
