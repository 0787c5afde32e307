// SPDX-License-Identifier: Apache-2.0
//
// LoopPort: the side of a loop that other threads may touch: the hand-off they
// push to, the cells they take places from, the pool that envelopes return to.
//
// Ownership: part of the bus's state; outlives the loop and its poller, so that
//            an address can be used for ever (P5).
// Threads:   as each member says.
// Ends:      once Close() has been called Deliver() refuses.

#ifndef TROLLEY_BUS_LOOP_PORT_H_
#define TROLLEY_BUS_LOOP_PORT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "trolley/bus/cell.h"
#include "trolley/bus/envelope.h"
#include "trolley/bus/envelope_pool.h"
#include "trolley/bus/handoff.h"
#include "trolley/bus/ledger.h"
#include "trolley/bus/lines.h"
#include "trolley/poller/poller.h"

namespace trolley {

class Loop;

// What a loop counts beside its ledger.
struct LoopStats {
  OwnedCounter turns;
  OwnedCounter waits;            // waits that could sleep
  OwnedCounter polls;            // looks at the descriptors without sleeping
  SharedCounter wakes;           // Poller::Wake() calls by others
  OwnedCounter expired_asks;     // ended by their deadline
  OwnedCounter late_replies;     // came after that
  OwnedCounter cells_looked_at;  // by inspections, drains and ends
};

class LoopPort {
 public:
  LoopPort(uint8_t index, uint32_t max_actors)
      : index(index),
        pool(index),
        cells(max_actors),
        lines(cells.max_slots()) {}

  const uint8_t index;

  // Thread-safe. Hands over a chain linked newest -> oldest and wakes the loop
  // if it sleeps. False: the loop has ended, the chain is still the caller's.
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
        return true;
    }
    return false;
  }

  Handoff<Envelope> handoff;  // its consumer is the loop
  EnvelopePool pool;          // its owner is the loop
  CellTable cells;            // as cell.h says
  Lines lines;                // those of `cells`

  // The loop's poller. Alive until handoff.Close() has returned; only the one
  // who got kQueuedMustWake uses it.
  Poller* poller = nullptr;

  // For those who construct an actor of it. Set before the loop starts; expired
  // once the bus has ended.
  std::weak_ptr<Loop> loop;

  // What the loop's thread counts apart (bus/bus_references.h).
  int64_t references = 0;

  LedgerCounters<OwnedCounter> ledger;  // written by the loop
  LoopStats stats;
  // What "auto" tried before the loop's poller, and why it did not take it;
  // empty if there was none. Written before the loop starts.
  std::string passed_over;
  // The ActorId whose handler is running; 0 between handlers. Any thread reads
  // it, to name an actor that keeps its loop.
  std::atomic<uint64_t> running_actor{0};
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LOOP_PORT_H_
