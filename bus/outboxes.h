// SPDX-License-Identifier: Apache-2.0
//
// Outboxes: what a loop's actors have sent to each other loop and not yet
// handed over. Handing over costs one read-modify-write and at most one wake
// for a whole batch.
//
// Ownership: part of a loop; owns what is in it.
// Threads:   loop thread only.
// Bounds:    kBatch envelopes for each other loop.
// Ends:      flushed before the loop sleeps or ends.

#ifndef TROLLEY_BUS_OUTBOXES_H_
#define TROLLEY_BUS_OUTBOXES_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "trolley/bus/bus_state.h"
#include "trolley/bus/envelope.h"

namespace trolley {

class Outboxes {
 public:
  static constexpr uint32_t kBatch = 64;

  // `refuse` gets every envelope whose loop has ended.
  using Refuse = absl::FunctionRef<void(Envelope*)>;

  explicit Outboxes(BusState& bus) : bus_(bus), boxes_(bus.loops()) {}

  // Queues an envelope for `loop`. True: a batch is full, so flush soon.
  bool Add(uint32_t loop, Envelope* envelope) {
    Box& box = boxes_[loop];
    if (box.oldest == nullptr) {
      box.oldest = envelope;
      pending_.push_back(loop);
    }
    envelope->next = box.newest;
    box.newest = envelope;
    return ++box.count >= kBatch;
  }

  // Hands everything over.
  void Flush(Refuse refuse) {
    while (!pending_.empty()) {
      const uint32_t loop = pending_.back();
      pending_.pop_back();
      Box box = std::exchange(boxes_[loop], Box{});
      if (bus_.port(loop).Deliver(box.newest, box.oldest)) continue;
      for (Envelope* e = box.newest; e != nullptr;) {
        refuse(std::exchange(e, e == box.oldest ? nullptr : e->next));
      }
    }
  }

 private:
  struct Box {
    Envelope* newest = nullptr;
    Envelope* oldest = nullptr;
    uint32_t count = 0;
  };

  BusState& bus_;
  std::vector<Box> boxes_;
  std::vector<uint32_t> pending_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_OUTBOXES_H_
