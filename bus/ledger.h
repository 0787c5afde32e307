// SPDX-License-Identifier: Apache-2.0
//
// Ledger: the counters that must balance. For every message sent to an actor:
//
//   attempted = accepted + refused
//   accepted  = handled + failed + expired + dead_lettered + queued
//
// Each loop writes its own ledger; plain threads share one. Counters are
// incremented where the thing happens, never derived from one another, so that
// a message lost anywhere shows as a difference (P2).
//
// LedgerCounters is written by one thread and read by any; Ledger is a value.

#ifndef TROLLEY_BUS_LEDGER_H_
#define TROLLEY_BUS_LEDGER_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "trolley/poller/cxx20.h"

namespace trolley {

struct Ledger {
  uint64_t attempted = 0;      // every send and ask
  uint64_t accepted = 0;       // sends that returned kAccepted
  uint64_t refused = 0;        // sends that returned anything else
  uint64_t handled = 0;        // handlers that returned well
  uint64_t failed = 0;         // handlers that threw or returned an error
  uint64_t expired = 0;        // deadline passed, or asker gone, before the end
                               // of the handler
  uint64_t dead_lettered = 0;  // accepted, but the actor ended first, or was at
                               // its bound of asks that wait

  uint64_t queued() const {
    return accepted - (handled + failed + expired + dead_lettered);
  }

  Ledger& operator+=(const Ledger& other);

  // True if nothing is queued and both equations hold.
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
    // What follows in the other branch takes three instructions: compilers do
    // not put atomics together.
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
  Counter handled, failed, expired, dead_lettered;

  void CountSend(bool was_accepted) {
    attempted.Increment();
    (was_accepted ? accepted : refused).Increment();
  }

  Ledger Read() const {
    return {.attempted = attempted.Read(),
            .accepted = accepted.Read(),
            .refused = refused.Read(),
            .handled = handled.Read(),
            .failed = failed.Read(),
            .expired = expired.Read(),
            .dead_lettered = dead_lettered.Read()};
  }
};

}  // namespace trolley

#endif  // TROLLEY_BUS_LEDGER_H_
