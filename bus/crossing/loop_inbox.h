// SPDX-License-Identifier: Apache-2.0
//
// LoopInbox: the part of a loop that other threads use: they push messages to
// its hand-off, take credits from its cells, and return envelopes to its pool.
//
// Ownership: part of the bus's state. It outlives the loop and its poller, so
//            an address never dangles (P5).
// Threads:   as each member says.
// Ends:      after handoff.Close() Deliver() refuses. The memory lives as long
//            as the bus's state.

#ifndef TROLLEY_BUS_CROSSING_LOOP_INBOX_H_
#define TROLLEY_BUS_CROSSING_LOOP_INBOX_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "trolley/bus/crossing/handoff.h"
#include "trolley/bus/ledger.h"
#include "trolley/bus/mailbox/cell.h"
#include "trolley/bus/message/byte_budget.h"
#include "trolley/bus/message/envelope.h"
#include "trolley/bus/message/envelope_pool.h"
#include "trolley/bus/registry/link_states.h"
#include "trolley/bus/registry/slot_table.h"
#include "trolley/poller/cxx20.h"
#include "trolley/poller/poller.h"

namespace trolley::internal {

// The counters of a loop, except its ledger.
struct LoopStats {
  OwnedCounter turns;
  OwnedCounter waits;            // waits in the poller that could sleep
  OwnedCounter polls;            // waits in the poller that could not
  SharedCounter wakes;           // Poller::Wake() calls of other threads
  OwnedCounter expired_asks;     // asks that ended by their deadline
  OwnedCounter late_replies;     // replies whose ask had ended
  OwnedCounter cells_looked_at;  // by inspections, drains and ends
};

class LoopInbox {
 public:
  LoopInbox(uint8_t index, uint32_t max_actors)
      : index(index),
        pool(index),
        cells(max_actors),
        link_states(cells.max_slots()),
        byte_budgets(cells.max_slots()) {}

  const uint8_t index;

  // Thread-safe. Hands over a chain linked newest -> oldest, and wakes the loop
  // if it sleeps. False: the loop has ended; the caller still owns the chain.
  bool Deliver(Envelope* newest, Envelope* oldest) {
    switch (handoff.Push(newest, oldest)) {
      case Handoff<Envelope>::Pushed::kClosed:
        return false;
      case Handoff<Envelope>::Pushed::kQueuedMustWake:
        stats.wakes.Increment();
        poller->Wake();
        handoff.WakeDone();
        return true;
      case Handoff<Envelope>::Pushed::kQueued:
        // mutant: P4_AnAwakeLoopIsWoken
        return true;
    }
    return false;
  }

  Handoff<Envelope> handoff;           // the loop is its consumer
  EnvelopePool pool;                   // the loop owns it; see envelope_pool.h
  CellTable cells;                     // threads: see cell.h
  LinkStates link_states;              // of the actors in `cells`
  SlotTable<ByteBudget> byte_budgets;  // of their mailboxes

  // The loop's poller. It is valid until handoff.Close() has returned. Only a
  // pusher that got kQueuedMustWake uses it.
  Poller* poller = nullptr;

  // Thread-safe. True: the loop has begun to end, and takes no new actors.
  bool ended() const { return ended_.load(std::memory_order_relaxed); }
  // Loop thread only.
  void SetEnded() { ended_.store(true, std::memory_order_relaxed); }

  // The Loop (bus/loop/loop.h), for a thread that constructs an actor for it.
  // Set before the loop starts. Null after the end of the bus.
  std::weak_ptr<void> loop;

  // The inbox of the loop that this thread runs; null on other threads. The
  // loop sets it.
  static thread_local constinit LoopInbox* current;

  // The references that this loop counts (bus/crossing/bus_references.h).
  int64_t references = 0;

  LedgerCounters<OwnedCounter> ledger;  // the loop writes it
  LoopStats stats;
  // LoopInfo::passed_over; written before the loop starts.
  std::string passed_over;
  // Thread-safe. The actor whose code runs on the loop; empty between handlers.
  // A shutdown names the actors whose handler does not return.
  ActorId running() const {
    return ActorId::FromWord(running_.load(std::memory_order_relaxed));
  }
  // Thread-safe. The type of the message whose handler that is; null: it is
  // other code of the actor.
  const MessageOps* running_message() const {
    return running_message_.load(std::memory_order_relaxed);
  }
  // Loop thread only.
  void SetRunning(ActorId actor, const MessageOps* message = nullptr) {
    SetRunningActor(actor);
    SetRunningMessage(message);
  }
  // Call SetRunningMessage() before code of the actor runs.
  void SetRunningActor(ActorId actor) {
    running_.store(actor.word(), std::memory_order_relaxed);
  }
  void SetRunningMessage(const MessageOps* message) {
    running_message_.store(message, std::memory_order_relaxed);
  }

 private:
  std::atomic<uint64_t> running_{0};
  std::atomic<const MessageOps*> running_message_{nullptr};
  std::atomic<bool> ended_{false};
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_CROSSING_LOOP_INBOX_H_
