// SPDX-License-Identifier: Apache-2.0
//
// ChaosPoller: any other poller, at its worst. What the contract leaves open it
// makes happen: it hands out few events at a time and in any order, its wakes
// come late and twice, the waits under it are interrupted. And, since events
// tell of a past that another reader may have used up, it reports some that are
// not true. For tests of what stands on a poller: ours, and yours.
//
//   options.loops[0].factory = Chaos(PollPoller::Create, {.seed = seed});
//
// With the last three of its chances at 0 it keeps the contract to the
// letter, and passes the conformance suite over every poller that does.
//
// Ownership: owns the poller that it wraps, and the Sys it gives to it.
// Threads:   as Poller; Wake() draws without touching what Wait() draws from.
// Bounds:    a registration each, beside those of the poller under it.
// Replay:    the seed fixes what is drawn; what the kernel and other threads do
//            in between is theirs. Over SimPoller, it fixes everything.

#ifndef TROLLEY_TESTS_POLLER_CHAOS_POLLER_H_
#define TROLLEY_TESTS_POLLER_CHAOS_POLLER_H_

#include <cstdint>

#include "trolley/poller/pollers.h"

namespace trolley {

// Chances are in thousandths.
struct ChaosOptions {
  uint64_t seed = 1;

  // Of a wait: it hands out one to four events, whatever the room.
  int short_batches = 300;
  // Of a batch: its events come in another order.
  int reordering = 500;
  // Of a system call that waits: a signal interrupts it first.
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
