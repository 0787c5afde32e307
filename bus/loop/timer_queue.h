// SPDX-License-Identifier: Apache-2.0
//
// TimerQueue: the timers of a loop, ordered by deadline, and for equal
// deadlines by the order in which they were set (P17). It is a heap in which
// each entry has 8 children. To set or cancel a timer allocates nothing, except
// when the array of the heap grows.
//
// With many timers, most of the time is spent on cache misses. So an entry has
// the deadline beside the timer, and the 8 children of an entry are two
// neighbouring cache lines: LaMarca and Ladner, "The Influence of Caches on the
// Performance of Heaps", ACM Journal of Experimental Algorithmics 1, 1996.
//
// Most timers are deadlines of asks, and are cancelled. In a small heap a
// cancelled timer leaves a dead entry. When most entries are dead, all dead
// ones are removed together. In a large heap that would take too long, so the
// entry is replaced at once.
//
// Ownership: borrows its timers; a Timer cancels itself when it is destroyed.
// Threads:   loop thread only.
// Bounds:    one entry for each armed timer, and kMostDead dead ones.
// Ends:      the destructor disarms the timers that are left.

#ifndef TROLLEY_BUS_LOOP_TIMER_QUEUE_H_
#define TROLLEY_BUS_LOOP_TIMER_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trolley/bus/thread/thread_checker.h"
#include "trolley/bus/timer.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  // Arms `timer`, or moves it if it is armed. An infinite deadline disarms.
  void Set(Timer& timer, Instant deadline);

  // Fires the timers that are due at `now`, in order. At most as many as were
  // armed at the call, so a timer that arms itself again does not keep the loop
  // here. False: none was due.
  bool FireDue(Instant now);

  // The earliest deadline; infinite if none is armed.
  Instant next();
  size_t size() const { return end_ - kRoot - dead_; }
  bool empty() const { return size() == 0; }

 private:
  friend class trolley::Timer;
  static constexpr size_t kArity = 8;
  static constexpr size_t kRoot = kArity - 1;  // so that siblings share lines
  static constexpr size_t kMostDead = 1024;
  // Up to so many dead entries stay, even if they are most of the heap.
  static constexpr size_t kFewDead = 32;

  // 16 bytes. The timer is read only if two deadlines are equal.
  class Entry {
   public:
    Entry() = default;
    Entry(Instant deadline, Timer& timer)
        : deadline_(deadline),
          timer_or_sequence_(reinterpret_cast<uintptr_t>(&timer)) {}

    Instant deadline() const { return deadline_; }
    bool dead() const { return timer_or_sequence_ & 1; }
    Timer* timer() const {  // null: dead
      return dead() ? nullptr : reinterpret_cast<Timer*>(timer_or_sequence_);
    }
    // Makes it dead: its timer may be destroyed. It keeps its position in the
    // order, so that the heap stays ordered.
    // mutant: P17_WhatMovesPassesACancelledTimer
    void Die() { timer_or_sequence_ = sequence() << 1 | 1; }
    bool Before(const Entry& other) const {
      // mutant: P17_EqualDeadlinesFireInAnyOrder
      return deadline_ != other.deadline_ ? deadline_ < other.deadline_
                                          : sequence() < other.sequence();
    }

   private:
    uint64_t sequence() const {
      return dead() ? timer_or_sequence_ >> 1 : timer()->sequence_;
    }

    Instant deadline_;
    uintptr_t timer_or_sequence_ =
        1;  // the timer; or, if dead, sequence << 1 | 1
  };
  struct alignas(128) Siblings {
    Entry entries[kArity];
  };

  static size_t ParentOf(size_t position) {
    return position / kArity + kArity - 2;
  }
  static size_t FirstChildOf(size_t position) {
    return (position - (kArity - 2)) * kArity;
  }
  Entry* heap() { return reinterpret_cast<Entry*>(siblings_.data()); }
  bool large() const { return end_ > kRoot + 2 * kMostDead; }

  void Cancel(Timer& timer);
  Timer* TakeFirst();
  void Fill(size_t position);
  void Sweep();
  void SiftUp(size_t position, Entry entry);
  void SiftDown(size_t position, Entry entry);
  static void Place(Entry* heap, size_t position, const Entry& entry) {
    heap[position] = entry;
    if (Timer* timer = entry.timer()) timer->position_ = position;
  }

  std::vector<Siblings> siblings_;  // the heap is [kRoot, end_) of it
  size_t end_ = kRoot;
  size_t dead_ = 0;  // of the entries
  uint64_t next_sequence_ = 0;
  [[no_unique_address]] ThreadChecker thread_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_TIMER_QUEUE_H_
