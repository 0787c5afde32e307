// SPDX-License-Identifier: Apache-2.0
//
// Leases: the mailbox places that a loop holds in advance for the actors of
// other loops it sends to, so that a send pays no atomic.
//
// Ownership: part of a loop.
// Threads:   loop thread only; the credits themselves are shared.
// Bounds:    kEntries actors at a time, for each at most an eighth of its
//            mailbox; a further actor evicts one and gives its places back.
// Ends:      given back whenever the loop goes to sleep.

#ifndef TROLLEY_BUS_LEASES_H_
#define TROLLEY_BUS_LEASES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "trolley/bus/bus_state.h"
#include "trolley/bus/delivery.h"

namespace trolley {

class Leases {
 public:
  explicit Leases(BusState& bus) : bus_(bus) {}

  // Takes one place: kAccepted, kFull or kGone.
  ABSL_ATTRIBUTE_ALWAYS_INLINE Delivery Take(ActorId target) {
    Entry& entry = EntryOf(target);
    if (entry.id == target && entry.places > 0) [[likely]] {
      --entry.places;
      return Delivery::kAccepted;
    }
    return TakeShared(entry, target);
  }

  // Gives every place back.
  void ReturnAll() {
    for (Entry* entry : held_) {
      Return(*entry);
      entry->listed = false;
    }
    held_.clear();
  }

 private:
  static constexpr size_t kEntries = 256;
  static constexpr uint32_t kMostPlaces = 64;  // taken at a time

  struct Entry {
    ActorId id;
    uint32_t places = 0;
    bool listed = false;  // in held_
  };

  Entry& EntryOf(ActorId id) {
    return entries_[(id.slot() ^ (id.loop() << 4)) % kEntries];
  }

  Cell& CellOf(ActorId id) {
    return *bus_.port(id.loop()).cells.Find(id.slot());
  }

  Delivery TakeShared(Entry& entry, ActorId target) {
    Return(entry);
    const Credits::Lease lease =
        CellOf(target).credits.TakeShare(target.generation(), kMostPlaces);
    if (lease.gone) return Delivery::kGone;
    if (lease.places == 0) return Delivery::kFull;
    entry.id = target;
    entry.places = lease.places - 1;
    if (entry.places > 0 && !std::exchange(entry.listed, true)) {
      held_.push_back(&entry);
    }
    return Delivery::kAccepted;
  }

  void Return(Entry& entry) {
    if (entry.places == 0) return;
    CellOf(entry.id).credits.Return(entry.id.generation(), entry.places);
    entry.places = 0;
  }

  BusState& bus_;
  std::array<Entry, kEntries> entries_;
  std::vector<Entry*> held_;  // entries with places; some may have none left
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LEASES_H_
