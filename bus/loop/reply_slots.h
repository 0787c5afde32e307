// SPDX-License-Identifier: Apache-2.0
//
// ReplySlots: the asks of a loop that wait for their replies. An ask reserves
// its slot before it is sent, so no reply is refused. An id is used again after
// 2^40 asks. So a late reply, whose ask has ended, does not reach another ask.
//
// Ownership: part of a loop; borrows the PendingReplies.
// Threads:   loop thread only.
// Bounds:    LoopOptions::max_pending_asks.
// Ends:      with the loop.

#ifndef TROLLEY_BUS_LOOP_REPLY_SLOTS_H_
#define TROLLEY_BUS_LOOP_REPLY_SLOTS_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "trolley/bus/message/envelope.h"
#include "trolley/bus/thread/thread_checker.h"

namespace trolley::internal {

class PendingReply {
 public:
  // Called once; the slot is free by then. The payload of the envelope is the
  // reply. OnReply() destroys the payload and frees the envelope.
  virtual void OnReply(Envelope* reply) = 0;

 protected:
  ~PendingReply() = default;
};

class ReplySlots {
 public:
  explicit ReplySlots(size_t max) : max_(max), slots_(kFirstSize) {}

  // Reserves a slot and returns its id; 0: all are taken.
  uint64_t Add(PendingReply* pending) {
    thread_.Check();
    if (used_ >= max_) return 0;
    if (used_ >= slots_.size() / 2) Grow();
    // Ids are given in order. The slot of an old ask that still waits is passed
    // over. At most half of the slots are in use, so this ends soon.
    do {
      next_id_ = next_id_ == Envelope::kMaxAskId ? 1 : next_id_ + 1;
    } while (SlotOf(next_id_).pending != nullptr);
    SlotOf(next_id_) = {.id = next_id_, .pending = pending};
    ++used_;
    return next_id_;
  }

  // Frees the slot and returns the ask that waits there; null: none does.
  PendingReply* Take(uint64_t id) {
    thread_.Check();
    Slot& slot = SlotOf(id);
    if (slot.id != id || slot.pending == nullptr) return nullptr;
    --used_;
    return std::exchange(slot.pending, nullptr);
  }

  // The ask that waits in slot `id` is now `pending`.
  void Replace(uint64_t id, PendingReply* pending) {
    thread_.Check();
    Slot& slot = SlotOf(id);
    assert(slot.id == id && slot.pending != nullptr);
    slot.pending = pending;
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
    // Ids that differ modulo the old size also differ modulo the new one.
    for (const Slot& slot : old) {
      if (slot.pending != nullptr) SlotOf(slot.id) = slot;
    }
  }

  const size_t max_;
  size_t used_ = 0;
  uint64_t next_id_ = 0;
  std::vector<Slot> slots_;
  [[no_unique_address]] ThreadChecker thread_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_REPLY_SLOTS_H_
