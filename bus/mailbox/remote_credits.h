// SPDX-License-Identifier: Apache-2.0
//
// RemoteCredits: the mailbox credits that a loop holds in advance for actors of
// other loops. See bus/mailbox/credit_pool.h for mailbox credit as a whole.
//
// Ownership: part of a loop.
// Threads:   loop thread only; the pools are shared.
// Bounds:    kEntries actors at a time, and for each at most
//            kMostCreditsAtATime credits. A further actor takes the entry of
//            another one, whose credits are given back.
// Ends:      ReturnAll(), which the loop calls before it sleeps or ends. A loop
//            that does not sleep calls ReturnUnused() now and then.

#ifndef TROLLEY_BUS_MAILBOX_REMOTE_CREDITS_H_
#define TROLLEY_BUS_MAILBOX_REMOTE_CREDITS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "trolley/bus/delivery.h"
#include "trolley/bus/mailbox/cell_directory.h"

namespace trolley::internal {

class RemoteCredits {
 public:
  explicit RemoteCredits(const CellDirectory& cells) : cells_(cells) {}

  // Takes one credit of `target`: kAccepted, kFull or kGone.
  ABSL_ATTRIBUTE_ALWAYS_INLINE Delivery Take(ActorId target) {
    Entry& entry = EntryOf(target);
    if (entry.id == target && entry.credits > 0) [[likely]] {
      --entry.credits;
      return Delivery::kAccepted;
    }
    return TakeShared(entry, target);
  }

  // The same for an urgent message.
  Delivery TakeUrgent(ActorId target) {
    Entry& entry = EntryOf(target);
    if (entry.id == target && entry.credits > 0) {
      --entry.credits;
      return Delivery::kAccepted;
    }
    const CreditPool::Taken taken =
        cells_.Find(target).credits.TakeUrgent(target.generation());
    return taken.gone           ? Delivery::kGone
           : taken.credits == 0 ? Delivery::kFull
                                : Delivery::kAccepted;
  }

  // Gives back the credits of each actor to which nothing was sent since the
  // last call.
  void ReturnUnused() {
    std::erase_if(held_, [this](Entry* entry) {
      if (std::exchange(entry->seen, entry->credits) != entry->credits) {
        return false;
      }
      Return(*entry);
      entry->listed = false;
      return true;
    });
  }

  // Gives every credit back.
  void ReturnAll() {
    for (Entry* entry : held_) {
      Return(*entry);
      entry->listed = false;
    }
    held_.clear();
  }

 private:
  static constexpr size_t kEntries = 256;
  static constexpr uint16_t kNotSeen = kMostCreditsAtATime + 1;

  struct Entry {
    ActorId id;
    uint32_t credits = 0;
    uint16_t seen = kNotSeen;  // `credits` at the last ReturnUnused()
    bool listed = false;       // in held_
  };

  Entry& EntryOf(ActorId id) {
    return entries_[(id.slot() ^ (id.loop() << 4)) % kEntries];
  }

  Delivery TakeShared(Entry& entry, ActorId target) {
    Return(entry);
    const CreditPool::Taken taken = cells_.Find(target).credits.TakeBatch(
        target.generation(), kMostCreditsAtATime);
    if (taken.gone) return Delivery::kGone;
    if (taken.credits == 0) return Delivery::kFull;
    entry.id = target;
    entry.credits = taken.credits - 1;
    entry.seen = kNotSeen;
    if (entry.credits > 0 && !std::exchange(entry.listed, true)) {
      held_.push_back(&entry);
    }
    return Delivery::kAccepted;
  }

  void Return(Entry& entry) {
    if (entry.credits == 0) return;
    cells_.Find(entry.id).credits.Return(entry.id.generation(), entry.credits);
    entry.credits = 0;
  }

  const CellDirectory& cells_;
  std::array<Entry, kEntries> entries_;
  std::vector<Entry*> held_;  // entries with credits; some may have none left
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_REMOTE_CREDITS_H_
