// SPDX-License-Identifier: Apache-2.0
//
// TimerQueue: a loop's timers, ordered by deadline and then by the order they
// were set in (P17). A 4-ary heap of intrusive timers: setting and cancelling
// allocate nothing beyond the heap's own array.
//
// Nearly every timer is an ask's, and nearly every ask is answered long before.
// So a cancelled timer of a small heap leaves its entry behind, dead, and the
// dead are swept out together when they are the majority. A large heap, where
// that would take long at a stretch, takes the entry out at once.
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
  size_t size() const { return heap_.size() - dead_; }
  bool empty() const { return size() == 0; }

 private:
  friend class Timer;
  static constexpr size_t kArity = 4;
  static constexpr size_t kMostDead = 1024;
  static constexpr size_t kFewDead = 32;  // not worth sweeping

  struct Entry {
    Instant deadline;
    uint64_t sequence;
    Timer* timer;  // null: dead

    bool Before(const Entry& other) const {
      return deadline != other.deadline ? deadline < other.deadline
                                        : sequence < other.sequence;
    }
  };

  void Cancel(Timer& timer);
  void Remove(size_t position);
  void Sweep();
  void SiftUp(size_t position, Entry entry);
  void SiftDown(size_t position, Entry entry);
  void Place(size_t position, const Entry& entry) {
    heap_[position] = entry;
    if (entry.timer != nullptr) entry.timer->position_ = position;
  }

  std::vector<Entry> heap_;
  size_t dead_ = 0;  // of the entries
  uint64_t next_sequence_ = 0;
};

inline void Timer::Cancel() {
  if (queue_ != nullptr) queue_->Cancel(*this);
}

}  // namespace trolley

#endif  // TROLLEY_BUS_TIMER_QUEUE_H_
