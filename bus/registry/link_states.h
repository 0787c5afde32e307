// SPDX-License-Identifier: Apache-2.0
//
// LinkStates: which actors of a loop pass their messages to another process, by
// which link, and which links are down. So a sender on any thread learns at
// once that a message cannot leave.
//
// For each slot there is one ActorId, its link entry:
//
//   the actor in the slot                     its link entry
//   passes messages to another process        its link
//   is a link that is down                    the link itself
//   any other                                 empty, or an id of an earlier
//                                             actor of this slot
//
// Ownership: part of a LoopInbox.
// Threads:   thread-safe.
// Bounds:    8 bytes for each slot (bus/registry/slot_table.h).
// Ends:      with the bus's state.

#ifndef TROLLEY_BUS_REGISTRY_LINK_STATES_H_
#define TROLLEY_BUS_REGISTRY_LINK_STATES_H_

#include <atomic>
#include <cstdint>

#include "trolley/bus/actor_id.h"
#include "trolley/bus/registry/slot_table.h"

namespace trolley::internal {

class LinkStates {
 public:
  explicit LinkStates(uint32_t slots) : entries_(slots) {}

  void Set(uint32_t slot, ActorId entry) {
    if (!entry && entries_.Find(slot) == nullptr) return;
    entries_.Make(slot) = entry.word();
  }

  // Empty: no entry was set.
  ActorId Get(uint32_t slot) const {
    const std::atomic<uint64_t>* entry = entries_.Find(slot);
    return entry != nullptr ? ActorId::FromWord(*entry) : ActorId();
  }

 private:
  SlotTable<std::atomic<uint64_t>> entries_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_REGISTRY_LINK_STATES_H_
