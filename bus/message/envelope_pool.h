// SPDX-License-Identifier: Apache-2.0
//
// EnvelopePool: the envelopes of a loop, used again and again. Its size classes
// are powers of two, from 64 bytes to 1 KiB; larger ones come from the heap. An
// envelope that went to another loop comes back in a chain (ReturnStack). So in
// the steady state a send allocates nothing.
//
// Ownership: one for each loop. The bus keeps it alive until all its envelopes
//            are back.
// Threads:   loop thread only, except ReturnStack::Push and the two static heap
//            functions.
// Bounds:    keeps the largest amount of memory that it needed at one time.
//            Mailboxes and pending asks bound that.
// Ends:      its memory is freed with the pool.

#ifndef TROLLEY_BUS_MESSAGE_ENVELOPE_POOL_H_
#define TROLLEY_BUS_MESSAGE_ENVELOPE_POOL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "trolley/bus/message/envelope.h"

namespace trolley::internal {

// Other loops push the envelopes of a pool here when they are empty. The owner
// always takes all of them, so a recycled address (ABA) does no harm.
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

  // The owner only. Memory ordering: what a pusher did with an envelope happens
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
  // `loop`: the index of the loop, and the `owner_loop` of its envelopes.
  explicit EnvelopePool(uint8_t loop) : loop_(loop) {}
  EnvelopePool(const EnvelopePool&) = delete;
  EnvelopePool& operator=(const EnvelopePool&) = delete;

  // The size class for `bytes`. kClasses: too large, so from the heap.
  static uint32_t ClassOf(size_t bytes) {
    if (bytes > kLargestBytes) return kClasses;
    const size_t lines = (bytes + kSmallestBytes - 1) / kSmallestBytes;
    return lines <= 1 ? 0 : 64 - __builtin_clzll(lines - 1);
  }

  // An envelope of at least `bytes` bytes (Envelope::BytesFor()).
  Envelope* Get(size_t bytes, const Envelope::Head& head = {}) {
    const uint32_t size_class = ClassOf(bytes);
    if (size_class == kClasses) return GetFromHeap(bytes, head);
    if (free_[size_class].head == nullptr) [[unlikely]] {
      Refill(size_class);
    }
    return new (TakeReady(free_[size_class].head, size_class))
        Envelope(Envelope::Home(loop_, size_class), head);
  }

  // A free envelope of this class, which stays free until TakeReady(); null:
  // none is.
  Envelope* Ready(uint32_t size_class) const {
    return size_class < kClasses ? free_[size_class].head : nullptr;
  }
  // Takes the envelope that Ready() has returned.
  void* TakeReady(Envelope* ready, uint32_t size_class) {
    free_[size_class].head = ready->next;
    return ready;
  }

  // Takes back an envelope of this pool or of the heap. Its payload is
  // destroyed.
  void Put(Envelope* envelope) {
    if (envelope->owner_loop() == Envelope::kNoLoop) return PutToHeap(envelope);
    PutOwn(envelope);
  }
  // The same for one of this pool.
  void PutOwn(Envelope* envelope) {
    if (envelope->has(Envelope::kHasContext)) [[unlikely]] {
      envelope->context = nullptr;
    }
    PutOwnBare(envelope, envelope->size_class());
  }
  // The same for one of this pool and this class, without a context.
  void PutOwnBare(Envelope* envelope, uint64_t size_class) {
    FreeList& list = free_[size_class];
    envelope->next = list.head;
    list.head = envelope;
  }

  // Thread-safe; for plain threads. `owner_loop` is kNoLoop.
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

  // Takes the envelopes that have come back; if there are none, allocates a
  // slab.
  void Refill(uint32_t size_class);

  const uint8_t loop_;
  std::array<FreeList, kClasses> free_;
  struct SlabDeleter {
    void operator()(std::byte* slab) const;
  };
  std::vector<std::unique_ptr<std::byte[], SlabDeleter>> slabs_;
  alignas(64) ReturnStack returned_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MESSAGE_ENVELOPE_POOL_H_
