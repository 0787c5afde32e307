// SPDX-License-Identifier: Apache-2.0
//
// Inbox: the queue that a user of an event library without queues writes: a
// vector behind a mutex. The reader takes all of it at once, and is woken once
// for each time that it sleeps. For benchmarks only.
//
// Ownership: the reader owns it; it outlives the pushers. Borrows the
// receivers. Threads:   as each method says. Bounds:    none, as is usual for
// such a queue; the workloads bound the number
//            of messages on their way.
// Ends:      with the reader; messages that are left in it are dropped.

#ifndef TROLLEY_TESTS_BENCH_PEERS_INBOX_H_
#define TROLLEY_TESTS_BENCH_PEERS_INBOX_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "tests/bench/peers/receiver.h"

namespace trolley::bench {

class Inbox {
 public:
  // By any thread. True: the reader sleeps and the caller wakes it.
  bool Push(Receiver* to, uint64_t value) {
    std::lock_guard<std::mutex> lock(mutex_);
    filled_.push_back({to, value});
    has_some_.store(true, std::memory_order_relaxed);
    return std::exchange(asleep_, false);
  }

  // By the reader, when woken. True: there is more, and the reader comes back
  // without being woken.
  bool Drain() {
    // So that messages which cause messages do not keep descriptors waiting.
    constexpr int kMostRounds = 1000;
    for (int round = 0; round < kMostRounds; ++round) {
      {
        std::lock_guard<std::mutex> lock(mutex_);
        if (filled_.empty()) {
          asleep_ = true;
          has_some_.store(false, std::memory_order_relaxed);
          return false;
        }
        filled_.swap(taken_);
      }
      for (const Hit& hit : taken_) hit.to->Hit(hit.value);
      taken_.clear();
    }
    return true;
  }

  // A look without the lock, for a reader that spins.
  bool HasSome() const { return has_some_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::vector<Hit> filled_;
  bool asleep_ = true;
  std::atomic<bool> has_some_ = false;
  std::vector<Hit> taken_;  // the reader's
};

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_PEERS_INBOX_H_
