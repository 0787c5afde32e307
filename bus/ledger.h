// SPDX-License-Identifier: Apache-2.0
//
// Ledger: the counters of messages. They balance:
//
//   attempted = accepted + refused
//   accepted  = handled + failed + expired + dead_lettered + dropped + queued
//
//   trolley::Ledger ledger = bus.ReadLedger();
//   if (!ledger.Balances()) std::cerr << ledger.ToString();
//
// Each loop has counters of its own; plain threads share one set. Every counter
// is incremented by the code that does what it counts. None is computed from
// others, so a lost message shows as a difference (P2).
//
// Ledger is a value. LedgerCounters is written by one thread (OwnedCounter) or
// by several (SharedCounter), and read by any.

#ifndef TROLLEY_BUS_LEDGER_H_
#define TROLLEY_BUS_LEDGER_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "trolley/poller/cxx20.h"

namespace trolley {

struct Ledger {
  uint64_t attempted = 0;      // tells, sends and asks
  uint64_t accepted = 0;       // those with the result kAccepted
  uint64_t refused = 0;        // those with another result
  uint64_t handled = 0;        // the handler returned, without an error
  uint64_t failed = 0;         // the handler threw, or returned an error
  uint64_t expired = 0;        // the deadline passed, or the asker gave up,
                               // before the handler had finished
  uint64_t dead_lettered = 0;  // the actor ended first, or had too many asks in
                               // suspended handlers
  uint64_t dropped = 0;        // newer messages took its place in the mailbox
                               // (Overflow::kDropOldest)

  uint64_t queued() const {
    return accepted - (handled + failed + expired + dead_lettered + dropped);
  }

  Ledger& operator+=(const Ledger& other);

  // True: no message is queued, and both equations hold.
  bool Balances() const;

  // One line of "name=value", for tests and logs.
  std::string ToString() const;

  friend bool operator==(const Ledger&, const Ledger&) = default;
};

// A counter with one writer: an increment is a plain add, not a locked one.
class OwnedCounter {
 public:
  void Increment() {
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    // The other branch compiles to three instructions, because compilers do
    // not merge atomic operations.
    __asm__("addq $1, %0" : "+m"(value_) : : "cc");
#else
    value_.store(value_.load(std::memory_order_relaxed) + 1,
                 std::memory_order_relaxed);
#endif
  }
  uint64_t Read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// A counter with many writers.
class SharedCounter {
 public:
  void Increment(uint64_t by = 1) {
    value_.fetch_add(by, std::memory_order_relaxed);
  }
  uint64_t Read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

template <typename Counter>
struct LedgerCounters {
  Counter attempted, accepted, refused;
  Counter handled, failed, expired, dead_lettered, dropped;

  void CountSend(bool was_accepted) {
    attempted.Increment();
    // mutant: P2_ARefusalCountsAsAccepted
    (was_accepted ? accepted : refused).Increment();
  }

  Ledger Read() const {
    return {.attempted = attempted.Read(),
            .accepted = accepted.Read(),
            .refused = refused.Read(),
            .handled = handled.Read(),
            .failed = failed.Read(),
            .expired = expired.Read(),
            .dead_lettered = dead_lettered.Read(),
            .dropped = dropped.Read()};
  }
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LEDGER_H_
