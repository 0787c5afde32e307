// SPDX-License-Identifier: Apache-2.0
//
// Outboxes: collects the messages of a loop to other loops, one outbox for each
// loop. Flush() hands an outbox over with one atomic operation and at most one
// wake, so a batch costs as much as one message.
//
// Ownership: part of a loop; owns the envelopes in it.
// Threads:   loop thread only.
// Bounds:    kBatch envelopes for each other loop.
// Ends:      flushed before the loop sleeps or ends.

#ifndef TROLLEY_BUS_CROSSING_OUTBOXES_H_
#define TROLLEY_BUS_CROSSING_OUTBOXES_H_

#include <cassert>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "trolley/bus/crossing/bus_state.h"
#include "trolley/bus/message/envelope.h"

namespace trolley::internal {

class Outboxes {
 public:
  static constexpr uint32_t kBatch = 64;

  // Gets each envelope whose target's loop has ended.
  using Refuse = absl::FunctionRef<void(Envelope*)>;

  explicit Outboxes(BusState& bus) : bus_(bus), boxes_(bus.loops()) {}
  Outboxes(const Outboxes&) = delete;
  Outboxes& operator=(const Outboxes&) = delete;
  ~Outboxes() { assert(pending_.empty() && "messages that were not sent"); }

  // Queues an envelope for `loop`. True: its outbox is full, so call Flush().
  bool Add(uint32_t loop, Envelope* envelope) {
    Box& box = boxes_[loop];
    if (box.oldest == nullptr) {
      box.oldest = envelope;
      pending_.push_back(loop);
    }
    // mutant: P1_WhatIsHandedOverTogetherComesNewestFirst
    envelope->next = box.newest;
    box.newest = envelope;
    return ++box.count >= kBatch;
  }

  // Hands all outboxes over.
  void Flush(Refuse refuse) {
    while (!pending_.empty()) {
      const uint32_t loop = pending_.back();
      pending_.pop_back();
      Box box = std::exchange(boxes_[loop], Box{});
      if (bus_.inbox(loop).Deliver(box.newest, box.oldest)) continue;
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

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_CROSSING_OUTBOXES_H_
