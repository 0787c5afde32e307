// SPDX-License-Identifier: Apache-2.0
//
// Expiry: a message that no one can use any more holds nothing. Its deadline
// has passed, or its asker has gone; it may wait in a mailbox behind a handler
// that is suspended, or be the one that such a handler was given. Then the
// handler is cancelled, its frames are destroyed, the message is dropped and
// counted as expired, and its place comes free.
//
// A message that is next in its mailbox needs none of this: the loop looks at
// its deadline before it calls the handler.
//
// One timer serves the loop. It looks at the actors that have something to
// watch, and at all that each of them holds; so looks have a pause in between,
// of kPause at least and of fifty times as long as the last one took.
//
// Ownership: part of a loop.
// Threads:   loop thread only.
// Bounds:    one entry for each actor; a key for each asker that has gone since
//            the last look.
// Ends:      with the loop.

#ifndef TROLLEY_BUS_EXPIRY_H_
#define TROLLEY_BUS_EXPIRY_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/ask_key.h"
#include "trolley/bus/cell.h"
#include "trolley/bus/timer_queue.h"
#include "trolley/poller/instant.h"

namespace trolley {

class Loop;

class Expiry final : private Timer {
 public:
  // Between two looks, so that a deadline for each message costs no look each.
  static constexpr absl::Duration kPause = absl::Milliseconds(10);

  explicit Expiry(Loop& loop) : loop_(loop) {}

  // `cell` holds a message that ends at `deadline`, and is not the next.
  void Watch(Cell& cell, Instant deadline) {
    if (deadline.is_infinite()) return;
    if (!cell.expiry_watched) Add(cell);
    if (deadline < next_) Arm(deadline);
  }
  // `cell` has messages in its mailbox and takes none from now on.
  void WatchMailbox(Cell& cell) {
    if (!cell.expiry_watched) AddMailbox(cell);
  }
  // The asker `key` of a message that `cell` got no longer waits.
  void AskerHasGone(Cell& cell, const AskKey& key);

 private:
  using Keys = absl::flat_hash_set<AskKey>;

  void OnTimer() override;
  void Add(Cell& cell);
  void AddMailbox(Cell& cell);
  void Arm(Instant at);
  // Drops what has expired; the earliest deadline of what is left.
  Instant Look(Cell& cell, Instant now, const Keys& gone);
  Instant LookAtHandlers(Cell& cell, Instant now, const Keys& gone);
  Instant LookAtMailbox(Cell& cell, Instant now, const Keys& gone);

  Loop& loop_;
  std::vector<ActorId> watched_;
  std::vector<ActorId> looked_at_;  // in OnTimer(): keeps its memory
  Keys gone_;
  Instant next_ = Instant::Infinite();  // when the next look is due
  Instant not_before_;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_EXPIRY_H_
