// SPDX-License-Identifier: Apache-2.0
//
// ChaosPoller: wraps any poller and makes the worst case of everything that the
// contract allows. For tests of code that uses a poller: ours, and yours.
//
//   options.loops[0].factory = Chaos(PollPoller::Create, {.seed = seed});
//
//   - It returns few events at a time, in a random order.
//   - Its wakes come late and twice.
//   - The waits of the poller under it are interrupted.
//   - It reports events that are not true. That is allowed, because another
//     reader may have taken the data after the event.
//
// If the last three of its chances are 0, it keeps the contract strictly and
// passes the conformance suite over every poller that does.
//
// Ownership: owns the poller that it wraps, and the Sys that it gives to it.
// Threads:   as Poller. Wake() and Wait() use separate random generators.
// Bounds:    one registration for each of the poller under it.
// Replay:    the seed determines the random choices, but not what the kernel
//            and other threads do in between. Over SimPoller it determines
//            everything.

#ifndef TROLLEY_TESTS_POLLER_CHAOS_POLLER_H_
#define TROLLEY_TESTS_POLLER_CHAOS_POLLER_H_

#include <cstdint>

#include "trolley/poller/pollers.h"

namespace trolley {

// Chances are in thousandths: 0 and less is never, 1000 and more is always.
struct ChaosOptions {
  uint64_t seed = 1;

  // Of a wait: it hands out one to four events, whatever the room.
  int short_batches = 300;
  // Of a batch: its events come in another order.
  int reordering = 500;
  // Of a system call that waits: a signal interrupts it first. At most 8 times
  // in one wait of the poller.
  int interruptions = 200;
  // Of a wake: it comes after others had time to run; on either side.
  int late_wakes = 100;

  // Beyond the contract. Of a wait: it reports a registration as ready that may
  // not be.
  int untrue_events = 100;
  // Of a wake: it is made twice, and may be seen twice.
  int double_wakes = 100;
  // Of a wait after one that was woken: it is woken again.
  int repeated_wakes = 100;
};

// A factory for `under` with chaos. A loop of several gets a seed of its own
// from each call: the n-th poller made draws from `seed` and n.
PollerFactory Chaos(PollerFactory under, const ChaosOptions& options = {});

}  // namespace trolley

#endif  // TROLLEY_TESTS_POLLER_CHAOS_POLLER_H_
