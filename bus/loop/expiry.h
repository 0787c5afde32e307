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
// One timer serves a loop. When it fires, a look begins: at all messages of the
// watched actors, in steps of one turn (bus/loop/stepped_work.h). A look at
// many actors costs much, so there is a pause between two looks: at least
// kPause, and at least 50 times the time that the last look took. There is none
// if so many askers have gone that a look costs little for each of them.
//
// Ownership: part of a loop.
// Threads:   loop thread only.
// Bounds:    two entries for each actor, and kSpare. One key for each asker
//            that has stopped waiting since the last look began.
// Ends:      End(), with the loop.

#ifndef TROLLEY_BUS_LOOP_EXPIRY_H_
#define TROLLEY_BUS_LOOP_EXPIRY_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "trolley/bus/actor_id.h"
#include "trolley/bus/loop/loop_clock.h"
#include "trolley/bus/loop/stepped_work.h"
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

  // `step`: how many actors one step looks at, at least 1.
  Expiry(CellTable& cells, const LoopClock& clock, TimerQueue& timers,
         SteppedWork& work, uint32_t step, Expirer& expirer)
      : cells_(cells),
        clock_(clock),
        timers_(timers),
        work_(work),
        step_(step),
        expirer_(expirer) {}

  // No looks from now on: the loop ends. Call it after SteppedWork::End().
  void End() {
    ended_ = true;
    Cancel();
  }

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
  // The asker of an ask that `cell` has got no longer waits. Keeps the
  // ExternalAsk until the look, so that no other ask gets its address before.
  void AskerHasGone(Cell& cell, AskCancelled gone);

  // Entries of actors. Some may be of actors that have ended.
  size_t watched() const { return watched_.size() + looked_at_.size(); }

 private:
  // Entries of ended actors that may stay.
  static constexpr size_t kSpare = 1024;

  void OnTimer() override;
  void Add(Cell& cell);
  void AddMailbox(Cell& cell);
  void Sweep();
  void Arm(Instant at);
  bool ManyHaveGone() const;
  bool Step();
  void EndLook();
  // The watched actor; null: it has ended.
  Cell* Find(ActorId id) const;
  bool HasNoAsker(const Envelope& e) const;
  // Ends what has expired. Returns the earliest deadline of the rest.
  Instant Look(Cell& cell, Instant now);
  Instant LookAtHandlers(Cell& cell, Instant now);
  Instant LookAtMailbox(Cell& cell, Instant now);

  CellTable& cells_;
  const LoopClock& clock_;
  TimerQueue& timers_;
  SteppedWork& work_;
  const uint32_t step_;
  Expirer& expirer_;
  std::vector<ActorId> watched_;        // for the next look
  size_t swept_ = 0;                    // where Sweep() goes on in watched_
  std::vector<AskCancelled> gone_;      // since the last look began
  Instant next_ = Instant::Infinite();  // when the next look is due
  Instant not_before_;
  bool ended_ = false;

  // The look that has begun.
  bool looking_ = false;
  std::vector<ActorId> looked_at_;
  size_t at_ = 0;                          // how far it has come in looked_at_
  std::vector<AskCancelled> gone_before_;  // from before it began; sorted
  Instant soonest_ = Instant::Infinite();  // the earliest deadline it has seen
  absl::Duration took_;                    // of its steps so far
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_EXPIRY_H_
