// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/message/envelope_pool.h"

#include <new>

namespace trolley::internal {
namespace {

constexpr std::align_val_t kSlabAlignment{64};

}  // namespace

void EnvelopePool::SlabDeleter::operator()(std::byte* slab) const {
  ::operator delete(slab, kSlabAlignment);
}

void EnvelopePool::Refill(uint32_t size_class) {
  for (Envelope* e = returned_.TakeAll(); e != nullptr;) {
    Envelope* next = e->next;
    Put(e);
    e = next;
  }
  if (free_[size_class].head != nullptr) return;

  const size_t bytes = kSmallestBytes << size_class;
  auto* slab =
      static_cast<std::byte*>(::operator new(kSlabBytes, kSlabAlignment));
  slabs_.emplace_back(slab);
  // Linked by address, so that new envelopes are used in the order that a
  // hardware prefetcher expects.
  for (size_t at = kSlabBytes; at >= bytes;) {
    at -= bytes;
    auto* envelope = new (slab + at) Envelope(0, {});
    envelope->next = free_[size_class].head;
    free_[size_class].head = envelope;
  }
}

Envelope* EnvelopePool::GetFromHeap(size_t bytes, const Envelope::Head& head) {
  if (bytes < sizeof(Envelope)) bytes = sizeof(Envelope);
  return new (::operator new(bytes))
      Envelope(Envelope::Home(Envelope::kNoLoop, 0), head);
}

void EnvelopePool::PutToHeap(Envelope* envelope) {
  envelope->~Envelope();
  ::operator delete(envelope);
}

}  // namespace trolley::internal
