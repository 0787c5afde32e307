// SPDX-License-Identifier: Apache-2.0
//
// MixedBooks: what all actors of one run of the mixed workload share: the
// random numbers, and what became of each message and of each ask.
//
//   OpenAsk ask(books);          // in the frame of a coroutine that asks
//   auto reply = co_await asking;
//   ask.Resolve();
//
// Ownership: the test owns it; it outlives the bus.
// Threads:   that of the test.

#ifndef TROLLEY_TESTS_MIXED_MIXED_BOOKS_H_
#define TROLLEY_TESTS_MIXED_MIXED_BOOKS_H_

#include <cstdint>
#include <map>

#include "absl/time/time.h"
#include "trolley/poller/sim.h"

namespace trolley {

// What happened, summed up over all seeds: a run in which nothing happens shows
// nothing.
struct MixedTotals {
  uint64_t crashes = 0;
  uint64_t answered = 0;
  uint64_t given_up = 0;
  uint64_t told_by_token = 0;
  uint64_t cut_off = 0;  // handlers that were destroyed
  uint64_t published = 0;
  uint64_t missed = 0;  // by the witness
  uint64_t roots = 0;
};

struct MixedBooks {
  MixedBooks(uint64_t seed, MixedTotals* sums) : random(seed), totals(*sums) {}

  uint64_t Below(uint64_t bound) { return random.Below(bound); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  absl::Duration UpTo(uint64_t ms) { return absl::Milliseconds(Below(ms + 1)); }
  // True: the caller fails now.
  bool Fails(uint64_t one_in) {
    if (calm || !OneIn(one_in)) return false;
    ++totals.crashes;
    return true;
  }

  SimRandom random;
  MixedTotals& totals;
  bool calm = false;  // nothing fails and nothing new begins

  uint64_t last_id = 0;                    // of questions and notes
  std::map<uint64_t, int> begun;           // by id: handlers that have begun
  std::map<uint64_t, int> finished;        // by id
  int64_t open_asks = 0;                   // of coroutines that live
  uint64_t generation = 0;                 // of the tree
  std::map<uint64_t, uint64_t> published;  // by publisher: the last number
};

// An ask that a coroutine waits for.
class OpenAsk {
 public:
  explicit OpenAsk(MixedBooks& books) : books_(books) { ++books_.open_asks; }
  OpenAsk(const OpenAsk&) = delete;
  OpenAsk& operator=(const OpenAsk&) = delete;
  ~OpenAsk() { Resolve(); }

  void Resolve() {
    if (!open_) return;
    open_ = false;
    --books_.open_asks;
  }

 private:
  MixedBooks& books_;
  bool open_ = true;
};

}  // namespace trolley

#endif  // TROLLEY_TESTS_MIXED_MIXED_BOOKS_H_
