// SPDX-License-Identifier: Apache-2.0
//
// Expiry: ends messages whose deadline has passed or whose asker no longer
// waits, and frees what they hold:
//
//   the message                          what happens
//   has a suspended handler              the handler is cancelled, and its
//                                        frames are destroyed
//   waits behind a suspended handler     it is dropped
//   is the next one of its mailbox       nothing: the loop looks at its
//                                        deadline before it calls the handler
//
// The ledger counts it as expired, and its credit comes free.
//
// One timer serves a loop. When it fires, it looks at all messages of the
// actors that it watches. That may take long, so there is a pause between two
// looks: at least kPause, and at least 50 times the duration of the last look.
//
// Ownership: part of a loop.
// Threads:   loop thread only.
// Bounds:    one entry for each actor, and one key for each asker that has
//            stopped waiting since the last look.
// Ends:      with the loop.

#ifndef TROLLEY_BUS_LOOP_EXPIRY_H_
#define TROLLEY_BUS_LOOP_EXPIRY_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/loop/loop_clock.h"
#include "trolley/bus/loop/timer_queue.h"
#include "trolley/bus/mailbox/cell.h"
#include "trolley/bus/message/ask_key.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

// Ends one message for Expiry.
class Expirer {
 public:
  // Destroys the frames of a suspended handler and drops its message.
  virtual void CancelHandler(Cell& cell, SuspendedHandler& handler) = 0;
  // Drops a message that was taken out of the mailbox of `cell`.
  virtual void Expire(Cell& cell, Envelope* e) = 0;

 protected:
  ~Expirer() = default;
};

class Expiry final : private Timer {
 public:
  // The shortest pause between two looks, so that not each deadline causes one.
  static constexpr absl::Duration kPause = absl::Milliseconds(10);

  Expiry(CellTable& cells, const LoopClock& clock, TimerQueue& timers,
         Expirer& expirer)
      : cells_(cells), clock_(clock), timers_(timers), expirer_(expirer) {}

  // No looks from now on: the loop ends.
  void End() { Cancel(); }

  // `cell` has a message with this deadline that is not its next one.
  void Watch(Cell& cell, Instant deadline) {
    if (deadline.is_infinite()) return;
    if (!cell.expiry_watched) Add(cell);
    if (deadline < next_) Arm(deadline);
  }
  // `cell` has messages in its mailbox, and handles none from now on.
  void WatchMailbox(Cell& cell) {
    if (!cell.expiry_watched) AddMailbox(cell);
  }
  // The asker of the ask `key`, which `cell` has got, no longer waits.
  void AskerHasGone(Cell& cell, const AskKey& key);

 private:
  using Keys = absl::flat_hash_set<AskKey>;

  void OnTimer() override;
  void Add(Cell& cell);
  void AddMailbox(Cell& cell);
  void Arm(Instant at);
  // Ends what has expired. Returns the earliest deadline of the rest.
  Instant Look(Cell& cell, Instant now, const Keys& gone);
  Instant LookAtHandlers(Cell& cell, Instant now, const Keys& gone);
  Instant LookAtMailbox(Cell& cell, Instant now, const Keys& gone);

  CellTable& cells_;
  const LoopClock& clock_;
  TimerQueue& timers_;
  Expirer& expirer_;
  std::vector<ActorId> watched_;
  std::vector<ActorId> looked_at_;  // for OnTimer(), which reuses its memory
  Keys gone_;
  Instant next_ = Instant::Infinite();  // when the next look is due
  Instant not_before_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_EXPIRY_H_
