// SPDX-License-Identifier: Apache-2.0
//
// ReplySlots: a loop's asks that wait for their reply. A slot is reserved when
// asking, so a reply is never refused; an id is used once in 2^40, so a reply
// that comes after its ask has timed out finds nobody rather than a later ask.
//
// Ownership: borrows the PendingReplies.
// Threads:   loop thread only.
// Bounds:    LoopOptions::max_pending_asks.

#ifndef TROLLEY_BUS_REPLY_SLOTS_H_
#define TROLLEY_BUS_REPLY_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "trolley/bus/envelope.h"

namespace trolley {

class PendingReply {
 public:
  // Called once, its slot free again. The envelope holds the reply; the callee
  // destroys the payload and gives the envelope back to its loop.
  virtual void OnReply(Envelope* reply) = 0;

 protected:
  ~PendingReply() = default;
};

class ReplySlots {
 public:
  explicit ReplySlots(size_t max) : max_(max), slots_(kFirstSize) {}

  // Reserves a slot and returns its id; 0 if all are taken.
  uint64_t Add(PendingReply* pending) {
    if (used_ >= max_) return 0;
    if (used_ >= slots_.size() / 2) Grow();
    // At most half the table is in use, so this ends soon: ids are handed out
    // in order and an old ask still pending is stepped over.
    do {
      next_id_ = next_id_ == Envelope::kMaxAskId ? 1 : next_id_ + 1;
    } while (SlotOf(next_id_).pending != nullptr);
    SlotOf(next_id_) = {.id = next_id_, .pending = pending};
    ++used_;
    return next_id_;
  }

  // Frees the slot and returns who waited there; null if nobody does any more.
  PendingReply* Take(uint64_t id) {
    Slot& slot = SlotOf(id);
    if (slot.id != id || slot.pending == nullptr) return nullptr;
    --used_;
    return std::exchange(slot.pending, nullptr);
  }

  size_t used() const { return used_; }

 private:
  static constexpr size_t kFirstSize = 256;

  struct Slot {
    uint64_t id = 0;
    PendingReply* pending = nullptr;
  };

  Slot& SlotOf(uint64_t id) { return slots_[id & (slots_.size() - 1)]; }

  void Grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    // Distinct modulo the old size, hence modulo twice that.
    for (const Slot& slot : old) {
      if (slot.pending != nullptr) SlotOf(slot.id) = slot;
    }
  }

  const size_t max_;
  size_t used_ = 0;
  uint64_t next_id_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_REPLY_SLOTS_H_
