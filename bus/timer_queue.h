// SPDX-License-Identifier: Apache-2.0
//
// TimerQueue: a loop's timers, ordered by deadline and then by the order they
// were set in (P17). An 8-ary heap of intrusive timers: setting and cancelling
// allocate nothing beyond the heap's own array.
//
// With very many timers the time goes into memory, a line here and there. So an
// entry holds its deadline beside its timer, the children of an entry are two
// lines of the cache side by side, and there are few entries that have some:
// LaMarca and Ladner, "The Influence of Caches on the Performance of Heaps",
// ACM Journal of Experimental Algorithmics 1, 1996.
//
// Nearly every timer is an ask's, and nearly every ask is answered long before.
// So a cancelled timer of a small heap leaves its entry behind, dead, and the
// dead are swept out together when they are the majority. A large heap, where
// that would take long at a stretch, fills the entry's place at once.
//
// Ownership: borrows its timers; a Timer cancels itself when destroyed.
// Threads:   loop thread only.
// Bounds:    one entry for each armed timer, and kMostDead dead ones.
// Ends:      armed timers outliving the queue are an error of the loop's.

#ifndef TROLLEY_BUS_TIMER_QUEUE_H_
#define TROLLEY_BUS_TIMER_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trolley/poller/instant.h"

namespace trolley {

class TimerQueue;

// Something to do at a point in time. Derive, and own it where it is used.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { Cancel(); }

  // Called once, at or after the deadline, disarmed. May set or cancel any
  // timer, this one included, and may destroy this one.
  virtual void OnTimer() = 0;

  bool armed() const { return queue_ != nullptr; }

  // After it returns OnTimer is not called. Not armed: does nothing.
  void Cancel();

 private:
  friend class TimerQueue;
  uint64_t sequence_ = 0;  // of the Set() that armed it
  // What Cancel() reads stands together.
  TimerQueue* queue_ = nullptr;
  size_t position_ = 0;  // in the heap
};

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  // Arms `timer`, or moves it if it is armed. An infinite deadline disarms.
  void Set(Timer& timer, Instant deadline);

  // Fires the timers due at `now`, in order, but at most as many as were armed
  // when it was called: a timer that re-arms itself at once cannot keep the
  // loop here. False if none was due.
  bool FireDue(Instant now);

  // The earliest deadline; infinite if none is armed.
  Instant next();
  size_t size() const { return end_ - kRoot - dead_; }
  bool empty() const { return size() == 0; }

 private:
  friend class Timer;
  static constexpr size_t kArity = 8;
  static constexpr size_t kRoot = kArity - 1;  // so that siblings share lines
  static constexpr size_t kMostDead = 1024;
  static constexpr size_t kFewDead = 32;  // not worth sweeping

  // 16 bytes. Only where deadlines are equal is its timer looked at.
  class Entry {
   public:
    Entry() = default;
    Entry(Instant deadline, Timer& timer)
        : deadline_(deadline), who_(reinterpret_cast<uintptr_t>(&timer)) {}

    Instant deadline() const { return deadline_; }
    bool dead() const { return who_ & 1; }
    Timer* timer() const {  // null: dead
      return dead() ? nullptr : reinterpret_cast<Timer*>(who_);
    }
    // Its timer may go. Its place in the order stays: what moves past it later
    // would otherwise pass others of the same deadline, too.
    void Die() { who_ = sequence() << 1 | 1; }
    bool Before(const Entry& other) const {
      return deadline_ != other.deadline_ ? deadline_ < other.deadline_
                                          : sequence() < other.sequence();
    }

   private:
    uint64_t sequence() const {
      return dead() ? who_ >> 1 : timer()->sequence_;
    }

    Instant deadline_;
    uintptr_t who_ = 1;  // the timer; or 1 and above it the sequence: dead
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
};

inline void Timer::Cancel() {
  if (queue_ != nullptr) queue_->Cancel(*this);
}

}  // namespace trolley

#endif  // TROLLEY_BUS_TIMER_QUEUE_H_
